"""Importing files: what is good comes in, what is bad is told with its line, and an import that was ended goes on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, func, select

from profiles.files import ImportResult, import_file
from profiles.ingest import Counts
from profiles.mapping import Mapping, mapping_of
from profiles.rows import FileError
from profiles.values import MAX_LINE
from store.engine import open_store, write
from store.errors import StoreError
from store.schema import events, imports
from tests.profiles.shop import RULES, START, everything, identify, track, wipe

ROOT = Path(__file__).parents[2]


def bring_in(engine: Engine, path: Path, mapping: Mapping | None = None, **options: Any) -> ImportResult:
    settings: dict[str, Any] = {
        "reject_to": path.with_suffix(".rejects.jsonl"),
        "progress": lambda *_: None,
        **options,
    }
    return import_file(engine, path, rules=RULES, received_at=START, mapping=mapping, **settings)


def write_calls(path: Path, *calls: dict[str, Any] | bytes) -> Path:
    lines = [call if isinstance(call, bytes) else json.dumps(call).encode() for call in calls]
    path.write_bytes(b"\n".join(lines) + b"\n")
    return path


def rejected(result: ImportResult) -> list[dict[str, Any]]:
    assert result.reject_file is not None
    return [json.loads(line) for line in result.reject_file.read_text(encoding="utf-8").splitlines()]


def test_every_bad_line_is_told_and_the_others_come_in(engine: Engine, tmp_path: Path) -> None:
    good = [track("Product Viewed", number, product_id="lamp") for number in range(3)]
    bad: list[tuple[dict[str, Any] | bytes, str]] = [
        (b"Dear winback", "is not JSON"),
        (b'["track"]', "not an object"),
        (b'{"userId": "ann", "timestamp": "2026-03-01T12:00:00Z"}', "has no `type`"),
        ({**good[0], "type": "purchase"}, 'The type "purchase" is not known'),
        ({key: value for key, value in track("Lamp Lit", 0).items() if key != "userId"}, "names nobody"),
        ({**track("Lamp Lit", 0), "timestamp": "1 March"}, "not a time"),
        (identify(0, email="ann@"), "not an address"),
        (track("Order Completed", 0, total="cheap"), '`total` is "cheap"'),
        (b'{"type": "track", "type": "track"}', "twice"),
        (b'{"type": "track", "event": "caf\xe9"}', "not UTF-8"),
        (b'{"type": "track", "event": "' + b"x" * MAX_LINE + b'"}', "longer than 1 MiB"),
        (b'{"type":' + b"[" * 500 + b"]" * 500 + b"}", "nested"),
        ({**good[0], "event": "Product Added"}, "used before for a call that says something else"),
        (track("Order Completed", 0, total=1, currency="EUR"), "counts in USD"),
        (b'{"type": "track", "event": "Prod', "ends in the middle"),
    ]
    lines = [good[0], *(line for line, _ in bad[:7]), good[1], b"", *(line for line, _ in bad[7:-1]), good[2]]
    path = write_calls(tmp_path / "calls.jsonl", *lines)
    with path.open("ab") as file:
        file.write(bad[-1][0] if isinstance(bad[-1][0], bytes) else b"")  # no line feed: the file was cut off
    result = bring_in(engine, path)
    assert result.counts == Counts(read=len(bad) + 3, imported=3, duplicates=0, rejected=len(bad))
    told = rejected(result)
    assert [row["line"] for row in told] == [2, 3, 4, 5, 6, 7, 8, 11, 12, 13, 14, 15, 16, 17, 19]
    for row, (_, reason) in zip(told, bad, strict=True):
        assert reason in row["reason"]
        assert row["file"] == str(path)
        assert row["text"]
        assert set(row) == {"file", "line", "reason", "text"}


def test_a_bad_call_inside_a_batch_is_told_by_its_number(engine: Engine, tmp_path: Path) -> None:
    batch = {"batch": [track("Lamp Lit", 0), identify(0, email="ann@"), {"type": "buy"}, track("Lamp Lit", 1)]}
    result = bring_in(engine, write_calls(tmp_path / "calls.jsonl", batch))
    assert (result.counts.read, result.counts.imported) == (4, 2)
    assert sorted(row["reason"][:24] for row in rejected(result)) == [
        "Call 2 of the batch: `em",
        "Call 3 of the batch: The",
    ]


def test_no_reject_file_is_made_when_all_is_well(engine: Engine, tmp_path: Path) -> None:
    path = write_calls(tmp_path / "calls.jsonl", b"\xef\xbb\xbf" + json.dumps(track("Lamp Lit", 0)).encode())
    result = bring_in(engine, path)
    assert (result.counts.imported, result.reject_file) == (1, None)
    assert list(tmp_path.glob("*rejects*")) == []


def test_lines_may_end_as_on_windows_and_the_last_one_not_at_all(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    path.write_bytes(b"\r\n".join(json.dumps(track("Lamp Lit", number)).encode() for number in range(3)))
    assert bring_in(engine, path).counts.imported == 3


def test_importing_again_finds_duplicates(engine: Engine, tmp_path: Path) -> None:
    path = write_calls(tmp_path / "calls.jsonl", track("Lamp Lit", 0), identify(1), b"no")
    assert bring_in(engine, path).counts == Counts(read=3, imported=2, duplicates=0, rejected=1)
    again = bring_in(engine, path)
    assert again.counts == Counts(read=3, imported=0, duplicates=2, rejected=1)
    assert len(rejected(again)) == 1


def test_progress_is_told_after_each_batch(engine: Engine, tmp_path: Path) -> None:
    path = write_calls(tmp_path / "calls.jsonl", *[track("Lamp Lit", number) for number in range(25)])
    told: list[tuple[int, int, int]] = []
    bring_in(engine, path, batch=10, progress=lambda done, total, counts: told.append((done, total, counts.read)))
    assert [counts for _, _, counts in told] == [10, 20, 25, 25]
    assert told[-1][0] == told[-1][1] == path.stat().st_size


def test_an_import_that_was_ended_goes_on(engine: Engine, tmp_path: Path) -> None:
    calls = [call for number in range(30) for call in (track("Lamp Lit", number), b"bad %d" % number)]
    path = write_calls(tmp_path / "calls.jsonl", *calls)

    def end(_done: int, _total: int, counts: Counts) -> None:
        if counts.read >= 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bring_in(engine, path, batch=10, progress=end)
    with (tmp_path / "calls.rejects.jsonl").open("ab") as file:
        file.write(b'{"line": "of a batch that was not kept"}\n')
    result = bring_in(engine, path, batch=10)
    assert result.counts == Counts(read=60, imported=30, duplicates=0, rejected=30)
    assert [row["line"] for row in rejected(result)] == list(range(2, 62, 2))
    with pytest.raises(KeyboardInterrupt):
        bring_in(engine, path, batch=10, progress=end)
    assert bring_in(engine, path, restart=True).counts == Counts(read=60, imported=0, duplicates=30, rejected=30)


def test_an_import_that_was_killed_goes_on(engine: Engine, tmp_path: Path) -> None:
    people = [
        {"anonymousId": f"d{n % 7}"} if n % 3 else {"anonymousId": f"d{n % 7}", "userId": f"u{n % 7}"}
        for n in range(400)
    ]
    calls: list[dict[str, Any] | bytes] = [
        track("Product Added", n / 10, who, product_id=f"p{n % 5}", price=n) for n, who in enumerate(people)
    ]
    calls[111] = b"bad"
    calls[333] = b"worse"
    path = write_calls(tmp_path / "calls.jsonl", *calls)
    bring_in(engine, path)
    expected = everything(engine)
    wipe(engine)
    (tmp_path / "calls.rejects.jsonl").unlink()

    url = engine.url.render_as_string(hide_password=False)
    command = [
        sys.executable,
        "-m",
        "tests.profiles.import_slowly",
        url,
        str(path),
        str(tmp_path / "calls.rejects.jsonl"),
    ]
    for batches in (2, 5):
        with subprocess.Popen([*command, "25", "0.05"], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            for _ in range(batches):
                assert process.stdout.readline()
            os.kill(process.pid, signal.SIGKILL)
        assert process.returncode == -signal.SIGKILL
    with engine.connect() as connection:
        kept = connection.scalar(select(func.count()).select_from(events)) or 0
        assert 100 < kept < 398
        assert connection.scalar(select(imports.c.done)) is False

    result = bring_in(engine, path, batch=25)
    assert result.counts == Counts(read=400, imported=398, duplicates=0, rejected=2)
    assert [row["line"] for row in rejected(result)] == [112, 334]
    assert everything(engine) == expected


def test_files_that_cannot_be_read_are_told(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text("a,b\n1,2\n")
    (tmp_path / "empty.csv").write_text("")
    mapping = mapping_of({"event": "kind", "user_id": "who"}, place="map.toml")
    for name, given, parts in (
        ("missing.jsonl", None, ["There is no such file."]),
        (".", None, ["This is a folder."]),
        ("orders.csv", None, ["What its columns mean is not known.", "--map"]),
        ("orders.csv", mapping, ["The file has no column 'kind'. It has a, b."]),
        ("empty.csv", mapping, ["The file is empty."]),
    ):
        with pytest.raises(FileError) as told:
            bring_in(engine, tmp_path / name, given, reject_to=tmp_path / "rejects")
        assert [part for part in parts if part not in str(told.value)] == []
    with pytest.raises(FileError, match="also the reject file"):
        bring_in(engine, tmp_path / "orders.csv", mapping, reject_to=tmp_path / "orders.csv")
    bad = write_calls(tmp_path / "bad.jsonl", b"bad")
    with pytest.raises(FileError, match="cannot be written there"):
        bring_in(engine, bad, reject_to=tmp_path / "orders.csv" / "rejects.jsonl")


def test_a_locked_store_stops_the_import_and_loses_nothing(engine: Engine, tmp_path: Path) -> None:
    if engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL's writers wait for each other row by row")
    path = write_calls(tmp_path / "calls.jsonl", *[track("Lamp Lit", number) for number in range(20)])
    hasty = open_store(str(engine.url), busy_seconds=0.05)
    with write(engine), pytest.raises(StoreError) as told:
        bring_in(hasty, path)
    assert told.value.reason == "Another program is writing to the store and did not finish in time."
    assert bring_in(hasty, path).counts.imported == 20
