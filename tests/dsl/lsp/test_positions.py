"""Places in an editor's counting and in ours."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsl.diagnostics import Span, source_lines
from dsl.lsp.positions import Encoding, Lines, Position

TEXT = 'about "😀 für ä"  # 𝄞\r\nsend email x\rwait 2 days'


@pytest.mark.parametrize(
    ("line", "character", "expected"),
    [
        (0, 0, (1, 1)),
        (0, 7, (1, 8)),  # before the emoji
        (0, 8, (1, 8)),  # in the middle of it: its start
        (0, 9, (1, 9)),  # behind it
        (0, 15, (1, 15)),
        (0, 99, (1, 21)),  # behind the end
        (1, 5, (2, 6)),
        (2, 4, (3, 5)),
        (9, 9, (3, 12)),
        (-1, 0, (1, 1)),
    ],
)
def test_emoji_are_two_units_and_one_character(line: int, character: int, expected: tuple[int, int]) -> None:
    assert Lines(TEXT).place(Position(line=line, character=character)) == expected


@pytest.mark.parametrize(("encoding", "character"), [("utf-8", 19), ("utf-16", 15), ("utf-32", 14)])
def test_each_way_of_counting(encoding: Encoding, character: int) -> None:
    column = TEXT.index("ä") + 2
    lines = Lines(TEXT, encoding)
    assert lines.position(1, column) == Position(line=0, character=character)
    assert lines.place(Position(line=0, character=character)) == (1, column)


def test_a_byte_order_mark_counts_for_the_editor_only() -> None:
    lines = Lines("\ufeffpolicy:\n  x")
    assert lines.position(1, 1) == Position(line=0, character=1)
    assert lines.place(Position(line=0, character=1)) == (1, 1)
    assert lines.place(Position(line=1, character=2)) == (2, 3)
    assert lines.whole().start == Position(line=0, character=0)


def test_a_stretch() -> None:
    span = Span(file="x", line=1, column=7, end_line=2, end_column=5)
    where = Lines(TEXT).range(span)
    assert (where.start, where.end) == (Position(line=0, character=6), Position(line=1, character=4))


@given(st.text(alphabet=st.sampled_from("a ä€😀𝄞\n\r\u2028\ud83d")), st.sampled_from(["utf-8", "utf-16", "utf-32"]))
def test_there_and_back(text: str, encoding: Encoding) -> None:
    lines = Lines(text, encoding)
    for number, row in enumerate(source_lines(text), 1):
        for column in range(1, len(row) + 2):
            assert lines.place(lines.position(number, column)) == (number, column)
