"""The reject file: a line of JSON for each call that was not taken, with the place, the reason and the text."""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from profiles.rows import FileError

KEPT = 10_000
"""Characters of the text that are kept."""


class RejectFile:
    """Made when the first line is written. Lines beyond `size` are of a batch that was not kept, and are cut off."""

    def __init__(self, path: Path, *, size: int) -> None:
        self.path = path
        self.size = size
        """Bytes that belong to what is in the store."""
        self._file: BinaryIO | None = None

    def write(self, rows: list[tuple[str, int, str, str]]) -> None:
        """Write (file, line, reason, text) rows and have them on the disk."""
        if not rows:
            return
        file = self._open()
        for name, line, reason, text in rows:
            row = {"file": name, "line": line, "reason": reason, "text": text[:KEPT]}
            # ASCII: text that was not UTF-8 is still JSON then.
            file.write(json.dumps(row).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())
        self.size = file.tell()

    def _open(self) -> BinaryIO:
        if self._file is None:
            try:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self._file = self.path.open("r+b" if self.path.exists() else "w+b")
            except OSError as error:
                raise FileError(
                    str(self.path),
                    f"What is rejected cannot be written there: {error.strerror}.",
                    "Name a file in a folder that you may write to.",
                ) from None
        self._file.truncate(min(self.size, self._file.seek(0, os.SEEK_END)))
        self._file.seek(0, os.SEEK_END)
        return self._file

    def __enter__(self) -> RejectFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()
