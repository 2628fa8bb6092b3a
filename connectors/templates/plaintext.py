"""The plain-text part of an e-mail, made from its HTML once per template, with its tags still hidden.

Links are kept as `words <URL>`, lists get dashes, headings and paragraphs stand apart, rows of tables are lines. What
nobody sees (styles, the preheader, conditional comments for Outlook) is left out.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser

from connectors.templates.tags import WORD, Tag

_APART = frozenset([
    "p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "table", "blockquote", "hr",
])  # fmt: skip
_LINES = frozenset([
    "div", "tr", "li", "br", "dt", "dd", "section", "article", "header", "footer", "center",
])  # fmt: skip
_UNSEEN = frozenset([
    "head", "style", "script", "title", "noscript",
])  # fmt: skip
_VOID = frozenset([
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr",
])  # fmt: skip
_SPACE = re.compile(r"[ \t\r\n\f]+")


def plain_text(html: str, tags: list[Tag]) -> str:
    """The text of the HTML, words for its tags in it."""
    parser = _Text()
    parser.feed(html)
    parser.close()
    return _tidy("".join(parser.made), tags)


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.made: list[str] = []
        self._gap = 0
        self._unseen = 0
        self._stack: list[tuple[str, bool]] = []
        self._links: list[tuple[str, int, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        hidden = tag in _UNSEEN or "preheader" in given.get("class", "") or "display:none" in _style(given)
        hidden = hidden or given.get("aria-hidden") == "true"
        if tag not in _VOID:
            self._stack.append((tag, hidden))
            self._unseen += hidden
        if self._unseen:
            return
        self._break(tag)
        if tag == "li":
            self._write("- ")
        elif tag == "hr":
            self._write("-" * 40)
            self._break(tag)
        elif tag == "a":
            self._write("")
            self._links.append((given.get("href", ""), len(self.made), ""))
        elif tag == "img" and self._links and given.get("alt"):
            href, start, alt = self._links[-1]
            self._links[-1] = (href, start, alt or given["alt"])

    def handle_endtag(self, tag: str) -> None:
        if tag not in [name for name, _ in self._stack]:
            return
        while self._stack:
            name, hidden = self._stack.pop()
            self._unseen -= hidden
            if name == tag:
                break
        if self._unseen:
            return
        if tag == "a" and self._links:
            self._link(*self._links.pop())
        elif tag in ("td", "th"):
            self.made.append(" ")
        else:
            self._break(tag)

    def _link(self, href: str, start: int, alt: str) -> None:
        inside = "".join(self.made[start:])
        del self.made[start:]
        words = _SPACE.sub(" ", inside).strip() or alt
        if not href or href.startswith("#") or words in (href, href.removeprefix("mailto:")):
            self.made.append(words)
        else:
            self.made.append(f"{words} <{href}>" if words else f"<{href}>")

    def _break(self, tag: str) -> None:
        if tag in _APART:
            self._gap = 2
        elif tag in _LINES:
            self._gap = max(self._gap, 1)

    def _write(self, text: str) -> None:
        self.made.append("\n" * self._gap + text)
        self._gap = 0

    def handle_data(self, data: str) -> None:
        if not self._unseen and (data.strip() or not self._gap):
            self._write(_SPACE.sub(" ", data))

    def handle_comment(self, data: str) -> None:
        if not self._unseen and WORD.fullmatch(data):
            self._write(data)


def _style(given: dict[str, str]) -> str:
    return given.get("style", "").replace(" ", "").lower()


def _tidy(text: str, tags: list[Tag]) -> str:
    """Single spaces, and no line of its own for statements, which write nothing."""
    made: list[str] = []
    for line in text.split("\n"):
        line = _SPACE.sub(" ", line.replace("\xa0", " ").replace("\u200c", "").replace("\u034f", "")).strip()
        alone = not WORD.sub("", line).strip() and all(tags[int(word[1])].statement for word in WORD.finditer(line))
        made.append(line if line and alone else line + "\n")
    return "".join(made)


def settle(text: str) -> str:
    """A rendered text with at most one empty line in a row, ending with one line break."""
    return re.sub(r"\n[ \t]*(?:\n[ \t]*)+\n", "\n\n", text).strip() + "\n"
