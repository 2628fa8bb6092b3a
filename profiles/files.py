"""Importing files: JSONL of Segment calls, and rows of CSV or Parquet with a mapping. Whatever ends an import, the next
one goes on where it stopped: the position is in the same transaction as the calls before it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, select

from profiles.calls import BadCall, Call, read_line
from profiles.ingest import Counts, Rules, in_transaction, ingest_batch
from profiles.mapped import mapped
from profiles.mapping import Mapping
from profiles.rejects import RejectFile
from profiles.rows import FileError, Row, csv_rows, parquet_rows
from profiles.values import MAX_LINE
from store.clock import micros
from store.engine import write
from store.errors import explained
from store.schema import imports
from store.upsert import upsert

_BLOCK = 1 << 16
_ROWS = (".csv", ".tsv", ".parquet")
Progress = Callable[[int, int, Counts], None]
"""Called after each batch with the bytes done, the bytes of the file, and the counts so far."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportResult:
    counts: Counts
    """Of the whole file, also what an earlier run had done of it."""
    reject_file: Path | None
    """None: nothing was rejected."""
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Item:
    """A line, a row, or a group of rows."""

    calls: list[Call | BadCall]
    line: int
    text: str
    position: int
    """Bytes (JSONL) or rows to pass over to come after it."""
    done: int
    """Bytes read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Start:
    """Where an import begins: at 0, or where an earlier one stopped."""

    key: str
    position: int = 0
    counts: Counts = field(default_factory=Counts)
    reject_bytes: int = 0


def import_file(
    engine: Engine,
    path: Path,
    *,
    rules: Rules,
    received_at: datetime,
    mapping: Mapping | None,
    reject_to: Path,
    progress: Progress,
    batch: int = 2000,
    restart: bool = False,
) -> ImportResult:
    """Import one file in batches of about `batch` calls, each one transaction. `mapping`: for CSV and Parquet.

    `reject_to` is for this file alone: an import from the beginning writes it anew, one that goes on appends. A file
    that was imported before is read again, and its calls are duplicates. `restart` begins anew in any case.
    Raises FileError when the file cannot be read at all, and StoreError.
    """
    began = time.monotonic()
    size, block = _look(path, mapping, reject_to)
    beginning = blake2b(block, digest_size=8).hexdigest()
    named = f"{path.resolve()}\n{size}\n{beginning}\n{mapping.digest if mapping else ''}"
    key = blake2b(named.encode(), digest_size=16).hexdigest()
    with explained(engine):
        start = _Start(key=key) if restart else _start(engine, key)
        items = _rows(path, mapping, start.position, beginning) if mapping else _lines(path, start.position)
        counts = start.counts
        with RejectFile(reject_to, size=start.reject_bytes) as rejects:
            for some in _batches(items, batch):
                counts += _take(engine, some, rules, received_at, _Kept(path, key, counts, rejects))
                progress(some[-1].done, size, counts)
            with write(engine) as connection:
                _keep(connection, _Kept(path, key, counts, rejects), size, received_at, done=True)
        progress(size, size, counts)
    return ImportResult(
        counts=counts,
        reject_file=reject_to if counts.rejected else None,
        seconds=time.monotonic() - began,
    )


@dataclass(frozen=True, slots=True)
class _Kept:
    path: Path
    key: str
    counts: Counts
    rejects: RejectFile


def _look(path: Path, mapping: Mapping | None, reject_to: Path) -> tuple[int, bytes]:
    """The file's size and its first block."""
    if mapping is None and path.suffix.lower() in _ROWS:
        raise FileError(
            str(path),
            "What its columns mean is not known.",
            "Write a mapping of columns to calls and give it with --map MAPPING.toml.",
        )
    if path.resolve() == reject_to.resolve():
        raise FileError(str(path), "This is also the reject file.", "Name another file for what is rejected.")
    try:
        with path.open("rb") as file:
            return path.stat().st_size, file.read(_BLOCK)
    except FileNotFoundError:
        raise FileError(str(path), "There is no such file.", "Correct the name.") from None
    except IsADirectoryError:
        raise FileError(str(path), "This is a folder.", "Name the files in it.") from None
    except OSError as error:
        raise FileError(str(path), f"It cannot be read: {error.strerror}.", "Give yourself the right to.") from None


def _start(engine: Engine, key: str) -> _Start:
    with engine.connect() as connection:
        row = connection.execute(select(imports).where(imports.c.file_hash == key)).one_or_none()
    if row is None or row.done:
        return _Start(key=key)
    told: dict[str, Any] = dict(row.counts)
    reject_bytes = told.pop("reject_bytes", 0)
    return _Start(key=key, position=row.position, counts=Counts(**told), reject_bytes=reject_bytes)


def _take(engine: Engine, items: list[_Item], rules: Rules, received_at: datetime, kept: _Kept) -> Counts:
    """Ingest a batch and note how far the import came, in one transaction; what is rejected is written down before."""
    calls = [call for item in items for call in item.calls if isinstance(call, Call)]
    rejects_before = kept.rejects.size

    def work(connection: Connection) -> Counts:
        kept.rejects.size = rejects_before  # the transaction may be tried again
        outcomes = iter(ingest_batch(connection, calls, rules=rules, received_at=received_at).outcomes)
        read = imported = duplicates = 0
        rejected: list[tuple[str, int, str, str]] = []
        for item in items:
            for number, call in enumerate(item.calls, start=1):
                read += 1
                if isinstance(call, BadCall):
                    rejected.append((str(kept.path), item.line, call.reason, call.text or item.text))
                    continue
                outcome = next(outcomes)
                imported += outcome.kind == "imported"
                duplicates += outcome.kind == "duplicate"
                if outcome.kind == "rejected":
                    which = f"Call {number} of the batch: " if len(item.calls) > 1 else ""
                    rejected.append((str(kept.path), item.line, f"{which}{outcome.reason}", item.text))
        kept.rejects.write(rejected)
        counts = Counts(read=read, imported=imported, duplicates=duplicates, rejected=len(rejected))
        now = _Kept(kept.path, kept.key, kept.counts + counts, kept.rejects)
        _keep(connection, now, items[-1].position, received_at, done=False)
        return counts

    return in_transaction(engine, work)


def _keep(connection: Connection, kept: _Kept, position: int, received_at: datetime, *, done: bool) -> None:
    row = {
        "file_hash": kept.key,
        "position": position,
        "done": done,
        "counts": {**asdict(kept.counts), "reject_bytes": kept.rejects.size},
        "at": micros(received_at),
    }
    upsert(connection, imports, [row])


def _batches(items: Iterator[_Item], size: int) -> Iterator[list[_Item]]:
    some: list[_Item] = []
    calls = 0
    for item in items:
        some.append(item)
        calls += len(item.calls)
        if calls >= size or len(some) >= size:
            yield some
            some, calls = [], 0
    if some:
        yield some


def _lines(path: Path, position: int) -> Iterator[_Item]:
    """The lines of a JSONL file from that byte on. Empty ones carry no call."""
    with path.open("rb") as file:
        number = _count_lines(file.read, position)
        file.seek(position)
        while line := file.readline(MAX_LINE + 2):
            number += 1
            whole = line.endswith(b"\n")
            if not whole and len(line) > MAX_LINE:
                while (rest := file.readline(_BLOCK)) and not rest.endswith(b"\n"):
                    pass
            if file.tell() - len(line) == 0:
                line = line.removeprefix(b"\xef\xbb\xbf")
            told = line.rstrip(b"\r\n")
            yield _Item(
                calls=read_line(told) if told.strip() else [],
                line=number,
                text=told[:_BLOCK].decode(errors="replace"),
                position=file.tell(),
                done=file.tell(),
            )


def _count_lines(read: Callable[[int], bytes], length: int) -> int:
    """How many lines the first `length` bytes have."""
    lines = 0
    while length > 0 and (block := read(min(_BLOCK, length))):
        lines += block.count(b"\n")
        length -= len(block)
    return lines


def _rows(path: Path, mapping: Mapping, position: int, beginning: str) -> Iterator[_Item]:
    rows: Iterator[Row]
    if path.suffix.lower() == ".parquet":
        rows = parquet_rows(path, columns=mapping.columns)
    else:
        rows = csv_rows(path, encoding=mapping.encoding, delimiter=mapping.delimiter, columns=mapping.columns)
    left = (row for row in rows if row.number > position)
    for each in mapped(left, mapping, file=beginning):
        yield _Item(calls=each.calls, line=each.line, text=each.text, position=each.row, done=each.done)
