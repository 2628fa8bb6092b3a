"""Audiences as files: `outbox/audiences/NAME.jsonl`, a line for each person added or removed, in their order.

A line is `{"op": "add", "email_sha256": "…"}`. Adding who is in, or removing who is not, changes nothing, so a line
that is written twice does no harm.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path


class AudienceFiles:
    """The default for every service: nobody outside is told of anything."""

    def __init__(self, folder: Path) -> None:
        """`folder`: made, with `audiences` in it, when the first change comes."""
        self._folder = folder / "audiences"

    def __repr__(self) -> str:
        return f"AudienceFiles({str(self._folder)!r})"

    async def change(self, audience: str, *, add: Sequence[str], remove: Sequence[str]) -> str | None:
        """See `connectors.contract.Advertising`."""
        lines = [{"op": "remove", "email_sha256": each} for each in remove]
        lines += [{"op": "add", "email_sha256": each} for each in add]
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with (self._folder / f"{audience}.jsonl").open("a", encoding="utf-8") as file:
                file.writelines(json.dumps(line) + "\n" for line in lines)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            return f"The folder {self._folder} cannot be written ({error.strerror})."
        return None
