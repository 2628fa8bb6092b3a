"""How tables of commands look."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text


def table_with(first: str) -> Table:
    """A table without lines, whose first column is headed so."""
    table = Table(box=None, pad_edge=False, show_header=True, header_style="dim", padding=(0, 2, 0, 0))
    table.add_column(first)
    return table


def number(count: int, *, style: str = "", none: str = "·") -> Text:
    """`1,200`; nobody is a dot, which does not catch the eye."""
    return Text(f"{count:,}", style=style) if count else Text(none, style="dim")
