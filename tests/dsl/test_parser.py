"""Everything that is wrong with how a file is written, told in one run, none of it because of another."""

from __future__ import annotations

import os
import re
from pathlib import Path
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsl import syntax
from dsl.codes import SYNTAX
from dsl.diagnostics import Diagnostic, render, source_lines
from dsl.parser import LARGEST_FILE, parse
from tests.dsl.chunks import chunks
from tests.dsl.playbooks_by_chance import files

CHUNKS = chunks(Path(__file__).parents[1] / "broken")


def problems(source: str) -> list[tuple[str, int, str]]:
    return [(found.code, found.span.line, found.message) for found in parse(source, "x.playbook")[1]]


def codes(source: str) -> list[str]:
    return [found.code for found in parse(source, "x.playbook")[1]]


@pytest.mark.parametrize("name", CHUNKS)
def test_exactly_the_expected_mistakes_are_told(name: str) -> None:
    told = parse(CHUNKS[name].source, "x.playbook")[1]
    CHUNKS[name].check(told)
    assert list(told) == sorted(told, key=lambda problem: (problem.span.line, problem.span.column))


@pytest.mark.parametrize("name", CHUNKS)
def test_messages_speak_the_readers_language(name: str) -> None:
    file, told = parse(CHUNKS[name].source, "x.playbook")
    assert isinstance(file, syntax.File)
    for problem in told:
        text = f"{problem.message} {problem.hint or ''}"
        assert not re.search(r"\b(token|syntax|illegal|invalid|parser?|unexpected|_NL|EOF)\b", text, re.IGNORECASE), (
            text
        )
        assert not re.search(r"\b[A-Z]{2,}_[A-Z]+\b", text), text
        assert text[0].isupper() or text[0] == "`"
        assert problem.message.endswith((".", "?"))
        assert problem.code in SYNTAX


def test_each_code_is_told_somewhere() -> None:
    told = {code for chunk in CHUNKS.values() for code in chunk.codes}
    limits = {"WB130", "WB131", "WB132", "WB133", "WB134"}  # the tests below
    assert told | limits == set(SYNTAX)


def samples() -> list[Path]:
    root = Path(__file__).parents[2]
    beside = [folder / "shared" / "design" / "samples" for folder in (root.parent, root.parent.parent)]
    named = os.environ.get("WINBACK_SAMPLES")
    folders = [Path(named)] if named else [folder for folder in beside if folder.is_dir()]
    return sorted(folders[0].glob("*.playbook")) if folders else []


def test_the_designs_samples_parse() -> None:
    if not samples():
        pytest.skip("the design's samples are not here: set WINBACK_SAMPLES to their folder")
    for path in samples():
        file, told = parse(path.read_text(encoding="utf-8"), path.name)
        assert not told
        assert file.declarations


# ── What a broken line leaves standing ────────────────────────────────────────────────────────────────────────────────
def test_a_block_below_a_broken_header_is_still_read() -> None:
    source = "playbook x:\n  if stage !:\n    send email a\n  otherwise:\n    send sms b\n  wait 2\n"
    file, told = parse(source, "x")
    assert [problem.code for problem in told] == ["WB100", "WB104"]
    book = file.declarations[0]
    assert isinstance(book, syntax.Playbook)
    branch, wait = book.lines
    assert isinstance(branch, syntax.If) and branch.otherwise is not None
    assert isinstance(branch.branches[0].condition, syntax.Broken)
    assert isinstance(branch.branches[0].body[0], syntax.Send)
    assert isinstance(wait, syntax.Broken) and wait.word == "wait"


def test_a_broken_declaration_says_what_it_would_declare() -> None:
    source = "let minimum = 50 dollars\nsegment loyal when (\nfield a.b is\nplaybook series\naudience buyers on:\n"
    file, _ = parse(source, "x")
    broken = [found for found in file.declarations if isinstance(found, syntax.Broken)]
    assert [(found.word, found.declares) for found in broken] == [
        ("let", "minimum"),
        ("segment", "loyal"),
        ("field", "a.b"),
        ("audience", "buyers"),
    ]


def test_a_broken_otherwise_if_stays_in_its_if() -> None:
    source = "playbook x:\n  if a is 1:\n    stop\n  otherwise if a ! 2:\n    stop\n  otherwise:\n    stop\n"
    file, _ = parse(source, "x")
    book = file.declarations[0]
    assert isinstance(book, syntax.Playbook)
    (branch,) = book.lines
    assert isinstance(branch, syntax.If)
    assert len(branch.branches) == 2 and branch.otherwise is not None


def test_a_wrong_value_breaks_its_line_and_not_its_block() -> None:
    file, told = parse(
        "playbook x:\n  experiment a:\n    variant B-2 50%:\n      send email c\n      wait 0 days\n", "x"
    )
    assert [problem.code for problem in told] == ["WB114", "WB119"]
    book = file.declarations[0]
    assert isinstance(book, syntax.Playbook)
    assert isinstance(experiment := book.lines[0], syntax.Experiment)
    assert isinstance(variant := experiment.lines[0], syntax.Broken)
    assert isinstance(variant.body[0], syntax.Send)
    assert isinstance(variant.body[1], syntax.Broken)


def test_no_line_is_told_or_kept_twice() -> None:
    file, _ = parse("playbook x:\n  stop\n  send email a\n  wait !\n  send email b\n  wait !\n  stop\n", "x")
    book = file.declarations[0]
    assert isinstance(book, syntax.Playbook)
    kinds = [type(line).__name__ for line in book.lines]
    assert kinds == ["Stop", "Send", "Broken", "Send", "Broken", "Stop"]


# ── Hostile and odd files ─────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("", []),
        ("\n", []),
        ("   ", []),
        ("# only a comment", []),
        ("let a = 1", []),
        ("\ufefflet a = 1\r\nlet b = 2\r\n", []),
        ("let a = 1\rlet b = 2\r", []),
        ("let a = 1 \\\n", ["WB122"]),
        ("\0" * 1000, ["WB110"]),
        ("segment a when " + "(" * 100_000, ["WB131"]),
        ("segment a when " + "not " * 50_000 + "x is 1", ["WB131"]),
        ("segment a when " + "not (" * 40_000, ["WB131"]),
        ("playbook x:\n" + "".join(" " * (i + 1) + "if a is b:\n" for i in range(700)), ["WB132"]),
        ("playbook x:\n" + "  stop\n" * 501, ["WB133"]),
        ("playbook x:\n" + "  stop\n" * 500, []),
        ("x" * 10_000_000, ["WB130"]),
        ("x\n" * 201, ["WB125"] * 200 + ["WB134"]),
        ("let a = " + "9" * 5000, ["WB116"]),
        ("let a = " + "1" * 5000 + " days", ["WB116"]),
        ('let a = "' + "\ud800" + '"', ["WB110"]),
    ],
    ids=lambda value: re.sub(r"\W", "_", str(value)[:20].encode("ascii", "replace").decode()),
)
def test_odd_files(source: str, told: list[str]) -> None:
    assert codes(source) == told


@pytest.mark.parametrize(
    "piece", ["-", "(", '"\n', "“", "a-", "1-", "event.", "x is 1 and\n", "# x\n", "if a:\n", "  \n", ":"]
)
def test_the_time_grows_with_the_file_and_not_with_its_square(piece: str) -> None:
    def spent(size: int) -> float:
        source = (piece * size)[:size]
        begun = process_time()
        parse(source, "x")
        return process_time() - begun

    # Linear is 4, quadratic 16; what is too quick to measure says nothing.
    assert spent(LARGEST_FILE) < 10 * spent(LARGEST_FILE // 4) + 0.2


def test_nesting_up_to_the_limits_is_read() -> None:
    inner = "(" * 25 + "not " * 25 + "x is 1" + ")" * 25
    lines = [" " * (i + 1) + f"if {inner}:\n" for i in range(18)]
    assert codes("playbook x:\n" + "".join(lines) + " " * 19 + "stop\n") == []


# ── Damage ────────────────────────────────────────────────────────────────────────────────────────────────────────────
PIECES = (
    st.text(max_size=3)
    | st.sampled_from(
        [*'(),:.=#"“\t \n\u00a0\u202e\0日', "\n   ", " if ", " not ", " and\n", "otherwise", "create", " is ", "3 days"]
    )
    | st.sampled_from(["$5", "else:", "  ", "segment a when ", "playbook x:\n"])
)


@st.composite
def damaged(draw: st.DrawFn) -> str:
    """A file with pieces cut out and put in, and lines moved."""
    source = draw(files())
    for _ in range(draw(st.integers(1, 5))):
        start = draw(st.integers(0, len(source)))
        end = min(len(source), start + draw(st.integers(0, 6)))
        if draw(st.booleans()):
            source = source[:start] + draw(PIECES) + source[end:]
        else:
            lines = source.split("\n")
            one, two = (draw(st.integers(0, len(lines) - 1)) for _ in range(2))
            lines[one], lines[two] = lines[two], lines[one].lstrip()
            source = "\n".join(lines)
    return source


@settings(max_examples=80, deadline=5000)
@given(damaged())
def test_whatever_is_damaged_there_is_a_tree_and_places_are_on_the_page(source: str) -> None:
    file, told = parse(source, "x.playbook")
    assert isinstance(file, syntax.File)
    lines = source_lines(source)
    for problem in told:
        assert on_the_page(problem, lines)
        assert problem.code in render(problem, source)


def on_the_page(problem: Diagnostic, lines: list[str]) -> bool:
    span = problem.span
    return (
        1 <= span.line <= span.end_line <= len(lines)
        and 1 <= span.column <= len(lines[span.line - 1]) + 1
        and (span.end_line, span.end_column) > (span.line, span.column)
    )


@settings(max_examples=40, deadline=5000)
@given(files())
def test_what_is_right_is_not_complained_about(source: str) -> None:
    assert problems(source) == []
