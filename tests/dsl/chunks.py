"""Mistakes as fixtures: playbook files cut by `---` into chunks, with what is told on the offending line.

`### WB203 /no channel called/ /Did you mean/ WB111 /`=` does not compare/`: on this line, and nowhere else, a problem
of each of these codes, whose message and hint hold these texts. `WB1__` is any problem of how the line is written.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dsl.diagnostics import Diagnostic, source_lines

_MARK = re.compile(r"[ \t]*###([^\r\n]*)")
_EXPECTED = re.compile(r"(WB\d{3}|WB1__)((?: /.*?/(?= /| WB[\d_]{3} /|$))+)")
_TEXT = re.compile(r" /(.*?)/(?= /|$)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    name: str
    """Of its file, and the number of its first line."""
    source: str
    """Without what is expected."""
    expected: tuple[tuple[int, str, tuple[str, ...]], ...]
    """Line, code and texts."""

    @property
    def codes(self) -> frozenset[str]:
        return frozenset(code for _, code, _ in self.expected)

    def check(self, problems: Sequence[Diagnostic]) -> None:
        """The problems are exactly the expected ones."""
        loose = "WB1__" in self.codes
        found = [
            (p.span.line, "WB1__" if loose and p.code < "WB2" else p.code, f"{p.message} | {p.hint}") for p in problems
        ]
        wanted = sorted((line, code) for line, code, _ in self.expected)
        assert sorted((line, code) for line, code, _ in found) == wanted, found
        for line, code, texts in self.expected:
            told = [said for at, known, said in found if (at, known) == (line, code)]
            assert any(all(text in said for text in texts) for said in told), told


def chunks(folder: Path) -> dict[str, Chunk]:
    """Those of all files of a folder, by name."""
    found = {}
    for path in sorted(folder.glob("*.playbook")):
        first = 1
        for text in re.split(r"(?m)^---\n", path.read_bytes().decode()):
            name = f"{path.stem}:{first}"
            found[name] = Chunk(name=name, source=_MARK.sub("", text), expected=tuple(_expected(text)))
            first += text.count("\n") + 1
    return found


def _expected(text: str) -> list[tuple[int, str, tuple[str, ...]]]:
    return [
        (number, code, tuple(_TEXT.findall(texts)))
        for number, line in enumerate(source_lines(text), 1)
        if (mark := _MARK.search(line))
        for code, texts in _EXPECTED.findall(mark[1])
    ]
