"""How a problem looks on a terminal: the caret stands below what is meant, whatever the line holds."""

from __future__ import annotations

import unicodedata

import pytest

from dsl.diagnostics import Diagnostic, Span, render


def problem(line: int, column: int, end: int, end_line: int | None = None) -> Diagnostic:
    span = Span(file="a.playbook", line=line, column=column, end_line=end_line or line, end_column=end)
    return Diagnostic(code="WB100", span=span, message="This is wrong.", hint="Do that.")


def test_the_whole_form() -> None:
    assert render(problem(2, 3, 7), "let a = 1\n  sned email x\n") == (
        "a.playbook:2:3\n"
        "   2 │   sned email x\n"
        "     │   ^^^^\n"
        "     This is wrong.\n"
        "     Hint: Do that.                                                         WB100"
    )


def cells(text: str) -> int:
    """Columns of a terminal, counted apart from the product's own count."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


@pytest.mark.parametrize("before", ["", "  ", "\t", '"日本" ', "e\u0301 ", "ａ", "\u202e", "x\x1b[31m", "a" * 500])
def test_the_caret_stands_below_the_word(before: str) -> None:
    source = f"{before}wrong rest"
    _, shown, caret, *_ = render(problem(1, len(before) + 1, len(before) + 6), source).split("\n")
    place = shown.index("wrong")
    assert cells(shown[:place]) == caret.index("^")
    assert caret.count("^") == 5
    assert "\x1b" not in shown and "\u202e" not in shown and "\t" not in shown
    assert len(shown) < 140


def test_a_stretch_of_lines_is_marked_to_the_end_of_the_first_without_its_comment() -> None:
    source = 'if a is "#1":  # why\n  stop\n'
    assert render(problem(1, 1, 7, end_line=2), source).split("\n")[2] == "     │ " + "^" * 13


def test_a_place_behind_the_last_line_is_shown_as_empty() -> None:
    assert render(problem(9, 1, 2), "let a = 1").split("\n")[1] == "   9 │ "


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_lines_are_counted_as_editors_count_them(ending: str) -> None:
    source = f"\ufefflet a = 1 \x0b \u2028 \x85{ending}let b = 2{ending}"
    assert render(problem(2, 1, 4), source).split("\n")[1] == "   2 │ let b = 2"


def test_a_long_hint_is_wrapped_but_not_inside_code() -> None:
    long = Diagnostic(
        code="WB100", span=problem(1, 1, 2).span, message="Wrong.", hint="Write " + "`let aaaa = bbbb` or " * 9 + "so."
    )
    told = render(long, "x").split("\n")[3:]
    assert all(len(line) <= 110 for line in told)
    assert all(line.count("`") % 2 == 0 for line in told)
