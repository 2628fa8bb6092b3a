"""The files of the outbox: names that people find, one for each key, whole or not there."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import signal
from pathlib import Path

import pytest

from connectors.outbox_file import OutboxConnector
from dsl.delivery import Message, Outcome, Verdict


def message(
    key: str = "k", *, channel: str = "email", date: str = "2026-03-07T10:15:00+00:00", **given: str
) -> Message:
    return Message(
        key=key,
        channel=channel,
        address=given.get("address", "anna@example.com"),
        sender="Shop <shop@shop.example>",
        content=given.get("content", "To: anna@example.com\r\n\r\nHello\r\n").encode(),
        headers={"Template": given.get("template", f"{channel}/cart_reminder"), "Date": date},
    )


def send(folder: Path, *messages: Message) -> list[Outcome]:
    async def run() -> list[Outcome]:
        async with OutboxConnector(folder) as connector:
            return [outcome async for outcome in connector.send(messages)]

    return asyncio.run(run())


def seen(folder: Path) -> list[str]:
    return sorted(
        str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() and ".keys" not in path.parts
    )


def test_where_a_message_lies(tmp_path: Path) -> None:
    (outcome,) = send(tmp_path, message())
    assert outcome.provider_id == "101500_cart_reminder_8254c329a928.eml"
    assert seen(tmp_path) == ["email/2026-03-07/101500_cart_reminder_8254c329a928.eml"]
    assert (tmp_path / seen(tmp_path)[0]).read_bytes() == b"To: anna@example.com\r\n\r\nHello\r\n"


def test_the_same_key_at_another_time_is_the_same_file(tmp_path: Path) -> None:
    first = send(tmp_path, message())
    again = send(tmp_path, message(date="2026-03-09T08:00:00+00:00", content="other"))
    assert [one.provider_id for one in first] == [one.provider_id for one in again]
    assert len(seen(tmp_path)) == 1
    assert b"Hello" in (tmp_path / seen(tmp_path)[0]).read_bytes()


def test_a_key_noted_by_a_try_that_died_is_not_accepted_and_keeps_its_name(tmp_path: Path) -> None:
    (first,) = send(tmp_path, message())
    (tmp_path / seen(tmp_path)[0]).unlink()
    connector = OutboxConnector(tmp_path)
    assert connector.accepted(["k", "other"]) == {"k": False, "other": False}
    (second,) = send(tmp_path, message(date="2026-03-09T08:00:00+00:00"))
    assert second.provider_id == first.provider_id
    assert connector.accepted(["k"]) == {"k": True}


def test_sms_and_push_can_be_read_by_people(tmp_path: Path) -> None:
    send(tmp_path, message(channel="sms", content="Hei på deg", address="+4712345678"))
    send(tmp_path, message(channel="push", content='{"title": "Hei", "body": "på deg", "url": ""}'))
    push, sms = (tmp_path / name for name in seen(tmp_path))
    assert sms.read_text() == "To: +4712345678\nFrom: Shop <shop@shop.example>\n\nHei på deg\n"
    assert json.loads(push.read_text())["body"] == "på deg"


@pytest.mark.parametrize("template", ["", "email/", "email/../../etc/passwd", "email/a b\nc", "email/" + "x" * 300])
def test_no_name_leaves_the_folder(tmp_path: Path, template: str) -> None:
    (outcome,) = send(tmp_path / "outbox", message(template=template))
    assert outcome.verdict is Verdict.ACCEPTED
    assert all(name.startswith("outbox/email/2026-03-07/101500_") for name in seen(tmp_path))
    assert len(seen(tmp_path)) == 1


def test_files_are_for_their_owner_only(tmp_path: Path) -> None:
    send(tmp_path, message())
    assert (tmp_path / seen(tmp_path)[0]).stat().st_mode & 0o077 == 0


def _write_for_ever(folder: Path) -> None:
    for number in range(100_000):
        send(folder, message(f"key-{number}", content="x" * 20_000))


def test_a_kill_leaves_whole_files_only_and_a_second_run_completes_them(tmp_path: Path) -> None:
    for _ in range(3):
        process = multiprocessing.get_context("spawn").Process(target=_write_for_ever, args=(tmp_path,))
        process.start()
        assert process.pid is not None
        while len(list(tmp_path.rglob("*.eml"))) < 20:
            process.join(0.02)
        process.join(0.05)
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        files = list(tmp_path.rglob("*.eml"))
        assert {path.stat().st_size for path in files} == {20_000}
        accepted = OutboxConnector(tmp_path).accepted([f"key-{number}" for number in range(len(files) + 5)])
        assert accepted is not None and sum(accepted.values()) == len(files)
