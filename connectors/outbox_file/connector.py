"""The connector: `outbox/email/2026-03-07/101500_cart_reminder_1a2b3c4d5e6f.eml`.

A key has one file for ever, whatever the time of the second try: the first try notes the file's name under `.keys/`,
and later tries read it there. A file appears under its name only when it is whole and on the disk.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from connectors.contract import Manifest, refuse_others
from connectors.mime import send_id
from dsl.delivery import Message, Outcome, Verdict

_SUFFIX = {
    "email": ".eml",
    "sms": ".txt",
    "whatsapp": ".txt",
    "webhook": ".txt",
    "push": ".json",
    "crm": ".json",
}
_TOGETHER = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class _Begun:
    message: Message
    path: Path
    temporary: Path | None
    """What holds the message until it stands at `path`; None when it stands there already."""


class OutboxConnector:
    """Writes each message, or record, to a file. Repeatable."""

    def __init__(self, folder: Path) -> None:
        """`folder`: made when the first message comes, with a folder for each channel and day in it."""
        self._folder = folder
        self._manifest = Manifest(
            name="outbox_file",
            channels=frozenset(_SUFFIX),
            repeatable=True,
            batch=1000,
            connections=1,
            longest=timedelta(seconds=60),
        )

    def __repr__(self) -> str:
        return f"OutboxConnector({str(self._folder)!r})"

    @property
    def manifest(self) -> Manifest:
        return self._manifest

    async def send(self, messages: Sequence[Message]) -> AsyncIterator[Outcome]:
        refuse_others(self._manifest, messages)
        for start in range(0, len(messages), _TOGETHER):
            for outcome in await asyncio.to_thread(self._write_all, messages[start : start + _TOGETHER]):
                yield outcome

    def accepted(self, keys: Sequence[str]) -> Mapping[str, bool] | None:
        """Whether the file of each key is there."""
        return {key: any(self._noted(channel, key) is not None for channel in _SUFFIX) for key in keys}

    async def check(self) -> list[str]:
        """Whether files can be written."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self._folder):
                return []
        except OSError as error:
            return [f"The folder {self._folder} cannot be written ({error.strerror}). Give another as WINBACK_OUTBOX."]

    async def open(self) -> None:
        """Nothing."""

    async def close(self) -> None:
        """Nothing."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing."""

    # ── Files ─────────────────────────────────────────────────────────────────────────────────────────────────────────
    def _write_all(self, messages: Sequence[Message]) -> list[Outcome]:
        """Several at once, so that the disk is waited for less often than there are files."""
        begun = [self._trying(message, self._begin, message) for message in messages]
        files = [one.temporary for one in begun if isinstance(one, _Begun) and one.temporary is not None]
        with ThreadPoolExecutor(8) as pool:
            failed = dict(zip(files, pool.map(_to_disk, files), strict=True))
        placed = [
            one if isinstance(one, Outcome) else self._trying(one.message, self._place, one, failed) for one in begun
        ]
        for folder in {file.parent for file in files}:
            _to_disk(folder)
        return [
            one
            if isinstance(one, Outcome)
            else Outcome(key=one.message.key, verdict=Verdict.ACCEPTED, provider_id=one.path.name)
            for one in placed
        ]

    def _trying(self, message: Message, do: Callable[..., _Begun], *given: object) -> _Begun | Outcome:
        try:
            return do(*given)
        except OSError as error:
            # Nothing stands under the message's name, so nothing was accepted.
            return Outcome(
                key=message.key,
                verdict=Verdict.DEFERRED,
                reason="outbox_unwritable",
                detail=f"The folder {self._folder} cannot be written ({error.strerror}).",
            )

    def _begin(self, message: Message) -> _Begun:
        if (there := self._noted(message.channel, message.key)) is not None:
            return _Begun(message=message, path=there, temporary=None)
        path = self._folder / message.channel / self._note(message)
        path.parent.mkdir(parents=True, exist_ok=True)
        return _Begun(message=message, path=path, temporary=_temporary(path.parent, _content(message)))

    def _place(self, begun: _Begun, failed: Mapping[Path, OSError | None]) -> _Begun:
        if begun.temporary is not None:
            if (error := failed[begun.temporary]) is not None:
                raise error
            begun.temporary.replace(begun.path)
        return begun

    def _key_file(self, channel: str, key: str) -> Path:
        identity = send_id(key)
        return self._folder / channel / ".keys" / identity[:2] / identity

    def _noted(self, channel: str, key: str) -> Path | None:
        """The file of a key that was sent."""
        try:
            name = self._key_file(channel, key).read_text()
        except FileNotFoundError:
            return None
        path = self._folder / channel / name
        return path if name and path.is_file() else None

    def _note(self, message: Message) -> str:
        """The name of the message's file below its channel: noted by the first try, read by the others."""
        note = self._key_file(message.channel, message.key)
        name = _name(message)
        try:
            noted = note.read_text()
        except FileNotFoundError:
            note.parent.mkdir(parents=True, exist_ok=True)
            # Not waited for on the disk: without the note, a try after a power failure gives the file a second name.
            _temporary(note.parent, name.encode()).replace(note)
            return name
        return noted or name


def _name(message: Message) -> str:
    """`DAY/TIME_TEMPLATE_KEY.suffix`; the template's name comes last in the header `Template`."""
    template = re.sub(r"[^\w-]+", "", message.headers.get("Template", "").rpartition("/")[2]) or "message"
    try:
        at = datetime.fromisoformat(message.headers.get("Date", ""))
    except ValueError:
        at = datetime.now(UTC)
    return f"{at:%Y-%m-%d}/{at:%H%M%S}_{template[:60]}_{send_id(message.key)[:12]}{_SUFFIX[message.channel]}"


def _content(message: Message) -> bytes:
    match message.channel:
        case "email" | "crm":
            return message.content
        case "push":
            pushed = {"to": message.address, "from": message.sender, **json.loads(message.content)}
            return (json.dumps(pushed, ensure_ascii=False, indent=2) + "\n").encode()
        case _:
            return f"To: {message.address}\nFrom: {message.sender}\n\n".encode() + message.content + b"\n"


def _temporary(folder: Path, content: bytes) -> Path:
    """A new hidden file with this content, for its owner's eyes only."""
    handle, name = tempfile.mkstemp(dir=folder, prefix=".", suffix=".part")
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    return Path(name)


def _to_disk(path: Path) -> OSError | None:
    """Wait until a file, or the names in a folder, would outlive a power failure. What went wrong, if anything did."""
    if path.is_dir() and os.name != "posix":
        return None
    try:
        handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        return error
    return None
