"""Every mistake in names, types and sense, as written: the expectation stands on the offending line."""

from __future__ import annotations

from pathlib import Path

import pytest

from dsl.checks import RULES
from dsl.codes import CODES
from dsl.compile import compile_sources
from tests.dsl.chunks import chunks
from tests.dsl.shop import shop

CHUNKS = chunks(Path(__file__).parent / "sense")


@pytest.mark.parametrize("name", CHUNKS)
def test_chunk(name: str) -> None:
    chunk = CHUNKS[name]
    chunk.check(compile_sources({"p.playbook": chunk.source}, shop()).problems)


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
    produced = {code for chunk in CHUNKS.values() for code in chunk.codes} - {"WB1__"}
    assert {code for code in CODES if code >= "WB2"} == produced | set(LARGE)


def test_every_rule_is_listed_once() -> None:
    shared = {"__init__", "doubts", "facts", "staged", "timing", "ways"}
    files = {path.stem for path in Path("dsl/checks").glob("*.py")} - shared
    assert sorted(rule.__name__ for rule in RULES) == sorted(files)
