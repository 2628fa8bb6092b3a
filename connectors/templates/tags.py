"""Jinja2 tags kept out of the way while tools for HTML work on the text around them.

Each tag is replaced by a word that means nothing to MJML, CSS and HTML (`wbtag7gatbw`), or, between elements, by a
comment with that word, which an HTML parser leaves where it stands even between the rows of a table. `restore` puts the
tags back. A line break goes into each tag, where it changes nothing, so that every tag has a line of its own in what is
compiled: this is how an error is traced back to the line that was written.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from jinja2 import Environment

WORD = re.compile(r"(?:<!--)?wbtag(\d+)gatbw(?:-->)?")
_BARE = re.compile(r"wbtag\d+gatbw")
_OPENING = re.compile(r"\{(?=[{%#])")
_OPAQUE = re.compile(
    r"<!--.*?-->|<style\b.*?</style\s*>|<title\b.*?</title\s*>|<textarea\b.*?</textarea\s*>"
    r"|<[a-zA-Z/!](?:\"[^\"]*\"|'[^']*'|[^'\">])*>",
    re.DOTALL | re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    code: str
    line: int
    statement: bool
    """`{% … %}`, which writes nothing itself."""


def hide(text: str, environment: Environment) -> tuple[str, list[Tag]]:
    """The text with words for tags, and the tags. Raises TemplateSyntaxError for a tag that never ends."""
    if "wbtag" in text:
        text = text.replace("wbtag", "wb-tag")
    tags: list[Tag] = []
    made: list[str] = []
    inside: list[str] = []
    start, kind = 0, ""
    for line, token, value in environment.lex(text):
        if token == "data":
            # Also what stands between `raw` and `endraw`: `restore` keeps its braces from being tags.
            made.append(value)
        elif token in ("raw_begin", "raw_end"):
            continue
        elif not kind:
            kind, start, inside = token.removesuffix("_begin"), line, [value]
            if kind in ("variable", "block"):
                inside.append("\n")
        else:
            inside.append(value)
            if token == f"{kind}_end":
                if kind != "comment":
                    made.append(f"wbtag{len(tags)}gatbw")
                    tags.append(Tag(code="".join(inside), line=start, statement=kind == "block"))
                kind = ""
    return "".join(made), tags


def between_elements(html: str) -> str:
    """The HTML with the words in running text turned into comments; those in tags, comments and styles stay words."""

    def comments(text: str) -> str:
        return _BARE.sub(lambda found: f"<!--{found[0]}-->", text)

    made, end = [], 0
    for opaque in _OPAQUE.finditer(html):
        made += [comments(html[end : opaque.start()]), opaque[0]]
        end = opaque.end()
    return "".join([*made, comments(html[end:])])


def restore(text: str, tags: list[Tag]) -> tuple[str, list[int]]:
    """The text with its tags, and for each of its lines the line of the template that it came from."""
    made: list[str] = []
    lines: list[int] = []
    current, end = 1, 0
    for word in WORD.finditer(text):
        tag = tags[int(word[1])]
        fixed = text[end : word.start()]
        lines += [current] * fixed.count("\n")
        made += [_literal(fixed), tag.code]
        for number in range(tag.code.count("\n")):
            lines.append(current)
            current = tag.line + number
        end = word.end()
    made.append(_literal(text[end:]))
    lines += [current] * (text[end:].count("\n") + 1)
    return "".join(made), lines


def _literal(text: str) -> str:
    """No tag is left in it, so what looks like one (`{#` in CSS) is to be written as it stands."""
    return _OPENING.sub("{{ '{' }}", text)
