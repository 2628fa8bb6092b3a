"""From the body of an e-mail template to its HTML, tags hidden: MJML compiled, CSS inlined, the preheader put in."""

from __future__ import annotations

import re

import css_inline
import mjml

from connectors.templates.tags import between_elements

_STYLE = re.compile(r"<mj-style\b[^>]*>(.*?)</mj-style\s*>", re.DOTALL)
_BODY = re.compile(r"<body\b(?:\"[^\"]*\"|'[^']*'|[^'\">])*>", re.IGNORECASE)
_HIDDEN = "display:none;font-size:1px;line-height:1px;max-height:0;max-width:0;opacity:0;overflow:hidden;mso-hide:all"
# Keeps a mail client from showing the beginning of the body after a short preheader.
_FILLER = "&#847;&zwnj;&nbsp;" * 60


class MarkupError(Exception):
    """The MJML cannot be compiled. `offset`: in the text that was given, where it is known."""

    def __init__(self, told: str, offset: int | None) -> None:
        super().__init__(told)
        self.offset = offset


def from_mjml(text: str) -> str:
    """The HTML of MJML. Its `mj-style` rules are written into the elements too, as many mail clients read no others."""
    try:
        html = mjml.mjml2html(text)
    except ValueError as error:
        place = re.search(r"position (\d+):", str(error))
        told = re.sub(r" (?:in root template|at position).*", "", str(error))
        raise MarkupError(told, int(place[1]) if place else None) from None
    if rules := "\n".join(_STYLE.findall(text)).strip():
        inliner = css_inline.CSSInliner(
            inline_style_tags=False, keep_style_tags=True, load_remote_stylesheets=False, extra_css=rules
        )
        return inliner.inline(between_elements(html))
    return html


def from_html(text: str) -> str:
    """The HTML with its style rules in the elements; those that cannot stand there (`@media`, `:hover`) stay."""
    inliner = css_inline.CSSInliner(keep_style_tags=True, remove_inlined_selectors=True, load_remote_stylesheets=False)
    return inliner.inline(between_elements(text))


def with_preheader(html: str, preheader: str) -> str:
    """The HTML with a text that mail clients show after the subject, and the message itself does not."""
    found = _BODY.search(html)
    at = found.end() if found else 0
    return f'{html[:at]}<div class="preheader" style="{_HIDDEN}">{preheader}{_FILLER}</div>{html[at:]}'
