"""Bars of numbers for the terminal: a character or two a number, some lines high."""

from __future__ import annotations

from collections.abc import Sequence

_PARTS = " ▁▂▃▄▅▆▇█"


def bars(values: Sequence[int], *, wide: int, height: int = 4, margin: int = 8) -> list[str]:
    """Lines from the top down, with the largest value and zero at the left, right-aligned in `margin`.

    Each bar is `wide` characters with its gap. What is more than nothing shows at least as a line.
    """
    highest = max(values, default=0)
    lines = []
    for line in range(height, 0, -1):
        label = f"{highest:,}" if line == height and highest else "0" if line == 1 else ""
        drawn = "".join((_cell(value, highest, line, height) * max(1, wide - 1)).ljust(wide) for value in values)
        lines.append(f"{label:>{margin}} ┤{drawn}".rstrip())
    return lines


def _cell(value: int, highest: int, line: int, height: int) -> str:
    if not value:
        return " "
    eighths = max(1, round(value / highest * height * 8))
    return _PARTS[min(8, max(0, eighths - (line - 1) * 8))]


def axis(labels: Sequence[str], *, wide: int, margin: int = 8) -> str:
    """A line of labels, each beginning under its bar; those that would not fit are left out."""
    line = ""
    for number, label in enumerate(labels):
        if len(line) <= number * wide - (2 if line else 0):
            line = line.ljust(number * wide) + label
    return " " * (margin + 2) + line
