"""The canonical form: fixtures by eye, and by chance that it is stable and means the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings

from dsl.format import WIDTH, canonical
from dsl.parser import parse
from tests.dsl.playbooks_by_chance import files

FIXTURES = sorted((Path(__file__).parents[1] / "format").glob("*.before.playbook"))


@pytest.mark.parametrize("before", FIXTURES, ids=lambda path: path.name.split(".")[0])
def test_fixtures(before: Path) -> None:
    after = before.with_name(before.name.replace("before", "after")).read_text(encoding="utf-8")
    source = before.read_text(encoding="utf-8")
    assert parse(source, before.name)[1] == ()
    assert canonical(source) == after
    assert canonical(after) == after
    assert parse(after, before.name)[0].declarations == parse(source, before.name)[0].declarations


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("", ""),
        ("\n\n", ""),
        ("   # a\n\n\n#b", "# a\n\n#b\n"),
        ("let a=1", "let a = 1\n"),
        ("\ufefflet a=1\r\n", "let a = 1\n"),
        ("let a=1# b", "let a = 1  # b\n"),
        ('let a = "#  b"', 'let a = "#  b"\n'),
    ],
)
def test_small_files(source: str, expected: str) -> None:
    assert canonical(source) == expected


@settings(max_examples=60, deadline=5000)
@given(files())
def test_it_is_stable_and_means_the_same(source: str) -> None:
    once = canonical(source)
    assert canonical(once) == once
    assert parse(once, "x")[0].declarations == parse(source, "x")[0].declarations
    assert parse(once, "x")[1] == ()


@settings(max_examples=40, deadline=5000)
@given(files())
def test_every_comment_survives_and_lines_are_tidy(source: str) -> None:
    once = canonical(source)
    assert comments(once) == comments(source)
    assert "\n\n\n" not in once
    assert not once.startswith("\n")
    for line in once.splitlines():
        assert line == line.rstrip()
        assert (len(line) - len(line.lstrip(" "))) % 2 == 0
        one_test = " and " not in line.strip() and " or " not in line.strip()
        assert len(line) <= WIDTH or one_test or {"(", ")"} & set(line) or "between" in line or "#" in line


def comments(source: str) -> list[str]:
    """The generator puts no `#` into texts that are followed by a quotation mark on the same line."""
    found = []
    for line in source.split("\n"):
        outside = '"'.join(line.split('"')[::2])
        if "#" in outside:
            found.append(line[line.rindex("#") :].strip())
    return found
