"""Rows of CSV and Parquet files, one after another, whatever the size of the file."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO

from dsl.errors import UserError
from profiles.values import MAX_LINE

_BROKEN = re.compile("[\udc80-\udcff]")
"""What `surrogateescape` makes of bytes that are not of the encoding."""


class FileError(UserError):
    """A file cannot be imported at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    number: int
    """From 1, without the header."""
    line: int
    """Of the file, where the row begins; the number of the row in a Parquet file."""
    cells: dict[str, str]
    text: str
    """As in the file; of a Parquet file, as CSV."""
    problem: str | None
    """Why the row cannot be read."""
    done: int
    """Bytes read so far."""


def csv_rows(path: Path, *, encoding: str, delimiter: str, columns: frozenset[str]) -> Iterator[Row]:
    """The rows of a CSV file with a header, which has those columns at least. Raises FileError."""
    with path.open("rb") as file:
        lines = _Lines(file, encoding)
        reader = csv.reader(lines, delimiter=delimiter)
        header = next(reader, None)
        if header is None:
            raise FileError(str(path), "The file is empty.", "Its first line must name the columns.")
        _need(path, header, columns)
        number = 0
        while True:
            problem, line = None, reader.line_num + 1
            lines.taken.clear()
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                cells, problem = [], f"The row cannot be read: {error}. See whether a quotation mark is left open."
            if not cells and problem is None:
                continue  # an empty line
            number += 1
            if problem is None and len(cells) != len(header):
                problem = f"The row has {len(cells)} cells, but the header names {len(header)}."
            text = "".join(lines.taken).rstrip("\r\n")
            if problem is None and not text.isascii() and _BROKEN.search(text):
                problem = f"The row is not {encoding}. Name the file's encoding in the mapping."
            yield Row(
                number=number,
                line=line,
                cells=dict(zip(header, cells, strict=False)),
                text=text,
                problem=problem,
                done=lines.done,
            )


def parquet_rows(path: Path, *, columns: frozenset[str]) -> Iterator[Row]:
    """The rows of a Parquet file, with their values as text. Needs pyarrow. Raises FileError."""
    try:
        parquet = import_module("pyarrow.parquet")
    except ImportError:
        raise FileError(
            str(path), "Reading Parquet needs pyarrow.", "Run `pip install pyarrow`, or save the file as CSV."
        ) from None
    try:
        file = parquet.ParquetFile(path)
    except Exception as error:  # pyarrow raises its own and others
        raise FileError(str(path), f"This is not a Parquet file: {error}", "Name a file that is.") from None
    _need(path, file.schema_arrow.names, columns)
    size, total, number = path.stat().st_size, max(1, file.metadata.num_rows), 0
    for batch in file.iter_batches(batch_size=2000, columns=sorted(columns) or None):
        for values in batch.to_pylist():
            number += 1
            cells = {name: _cell(value) for name, value in values.items()}
            yield Row(
                number=number,
                line=number,
                cells=cells,
                text=_csv_text(list(cells.values())),
                problem=None,
                done=size * number // total,
            )


class _Lines(Iterator[str]):
    """The lines of a file as text. What is not of its encoding comes out as lone surrogates, and can so be found."""

    def __init__(self, file: BinaryIO, encoding: str) -> None:
        self._file = file
        self._encoding = encoding
        self.done = 0
        self.taken: list[str] = []
        """Those since somebody cleared it."""

    def __next__(self) -> str:
        line = self._file.readline(MAX_LINE)
        if not line:
            raise StopIteration
        if self.done == 0:
            line = line.removeprefix(b"\xef\xbb\xbf")
        self.done = self._file.tell()
        self.taken.append(line.decode(self._encoding, errors="surrogateescape"))
        return self.taken[-1]


def _need(path: Path, header: list[str], columns: frozenset[str]) -> None:
    if missing := sorted(columns - set(header)):
        raise FileError(
            str(path),
            f"The file has no column {missing[0]!r}. It has {', '.join(header)}.",
            "Correct the mapping; or see its `delimiter`, when those are several columns in one.",
        )


def _csv_text(cells: list[str]) -> str:
    written = io.StringIO()
    csv.writer(written, lineterminator="").writerow(cells)
    return written.getvalue()


def _cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case float() if value.is_integer():
            return str(int(value))
        case float() if value != value:
            return ""
        case datetime() | date():
            return value.isoformat()
    return str(value)
