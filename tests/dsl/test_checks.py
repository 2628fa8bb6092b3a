"""Every mistake in names, types and sense, as written: the expectation stands on the offending line.

`### WB203 "no channel called | Did you mean"`: a problem of that code on this line, whose message and hint hold these
texts. `WB1__` is any problem of how the line is written. A chunk holds exactly the problems that it says, and no other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from dsl.checks import RULES
from dsl.codes import CODES
from dsl.compile import compile_sources
from tests.dsl.shop import shop

_SENSE = Path(__file__).parent / "sense"
_EXPECTED = re.compile(r'\s*### (WB\d{3}|WB1__) "(.*?)"(?=$| ###)')


def chunks() -> Iterator[tuple[str, str]]:
    """Each chunk with a name: its file and the number of its first line."""
    for path in sorted(_SENSE.glob("*.playbook")):
        line = 1
        for chunk in re.split(r"(?m)^---\n", path.read_text(encoding="utf-8")):
            yield f"{path.stem}:{line}", chunk
            line += chunk.count("\n") + 1


CHUNKS = dict(chunks())


def expected(chunk: str) -> tuple[str, list[tuple[int, str, list[str]]]]:
    """The source without the expectations, and them."""
    lines, wanted = [], []
    for number, line in enumerate(chunk.split("\n"), 1):
        for found in _EXPECTED.finditer(line):
            wanted.append((number, found[1], found[2].split(" | ")))
        lines.append(_EXPECTED.sub("", line))
    return "\n".join(lines), wanted


def band(code: str) -> str:
    """The parser's own fixtures hold it to its codes."""
    return code if code >= "WB2" else "WB1__"


@pytest.mark.parametrize("name", CHUNKS)
def test_chunk(name: str) -> None:
    source, wanted = expected(CHUNKS[name])
    problems = compile_sources({"p.playbook": source}, shop()).problems
    found = [(problem.span.line, band(problem.code)) for problem in problems]
    assert sorted(found) == sorted((line, code) for line, code, _ in wanted), "\n".join(
        f"{p.span.line}: {p.code} {p.message} | {p.hint}" for p in problems
    )
    for line, code, texts in wanted:
        told = [f"{p.message} | {p.hint}" for p in problems if (p.span.line, band(p.code)) == (line, code)]
        assert any(all(text in each for text in texts) for each in told), told


LARGE = {
    "WB308": f'playbook p:\n  about "{"very " * 120}"\n  start on signed_up\n  enter once\n  send email hello\n',
    "WB225": "segment s when " + " or ".join(["cart.total > $5"] * 401) + "\n",
    "WB322": "playbook p:\n  start on signed_up\n  enter once\n  if orders.count is 0:\n    send email hello\n"
    + "".join(f"  otherwise if orders.count is {n}:\n    send email hello\n" for n in range(1, 16)),
}
"""Too much of something, which would be tedious to read in a chunk."""


@pytest.mark.parametrize("code", LARGE)
def test_too_much(code: str) -> None:
    problems = compile_sources({"p.playbook": LARGE[code]}, shop()).problems
    assert [problem.code for problem in problems] == [code]


def test_segments_within_segments_are_counted() -> None:
    source = "segment s0 when cart.total > $5\n" + "".join(
        f"segment s{n} when in segment s{n - 1} or in segment s{n - 1}\n" for n in range(1, 40)
    )
    compiled = compile_sources({"p.playbook": source}, shop())
    assert [(problem.code, problem.span.line) for problem in compiled.problems] == [("WB225", 10)]
    assert "s8" in compiled.segments
    assert "s9" not in compiled.segments


def test_a_long_chain_of_segments_is_no_trouble() -> None:
    source = (
        "".join(f"segment s{n} when in segment s{n + 1}\n" for n in range(2000))
        + "segment s2000 when orders.count > 3\n"
    )
    compiled = compile_sources({"p.playbook": source}, shop())
    assert compiled.ok
    assert compiled.segments["s0"] == compiled.segments["s2000"]


def test_every_code_of_names_and_sense_is_produced() -> None:
    produced = {code for chunk in CHUNKS.values() for _, code, _ in expected(chunk)[1]} - {"WB1__"}
    assert {code for code in CODES if code >= "WB2"} == produced | set(LARGE)


def test_every_rule_is_listed_once() -> None:
    files = {path.stem for path in Path("dsl/checks").glob("*.py")} - {"__init__", "timing", "ways"}
    assert sorted(rule.__name__ for rule in RULES) == sorted(files)
