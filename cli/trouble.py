"""Errors that are not mistakes of the program, told in one form: place, reason and way out."""

from __future__ import annotations

import errno

from cli.console import PROBLEMS, USED_WRONGLY


def told(error: Exception) -> tuple[str, str, str, int] | None:
    """The place, the reason, the way out and the exit code of an error; None for a mistake in the program."""
    from connectors.contract import ConfigurationError
    from flows.backtest import NoBacktest
    from flows.local import ServerError
    from flows.settings import SettingsError
    from flows.tick import NotNow
    from ledger.plans import OlderThanLastTick
    from profiles.mapping import MappingError
    from profiles.rows import FileError
    from store.errors import StoreError, translate

    known = translate(error, "") or error
    match known:
        case SettingsError() | ConfigurationError() | MappingError() | FileError() | NoBacktest():
            return known.place, known.reason, known.way_out, USED_WRONGLY
        case StoreError():
            return known.place, known.reason, known.way_out, PROBLEMS
        case NotNow() | OlderThanLastTick():
            return "--as-of", *_parts(known), USED_WRONGLY
        case ServerError():
            return "Prefect", *_parts(known), PROBLEMS
        case OSError() if known.filename:
            way_out = "See that its folder is there, and that you may read and write it."
            return str(known.filename), f"{known.strerror}.", way_out, PROBLEMS
        case OSError(errno=errno.ENOSPC | errno.EDQUOT | errno.EIO):
            # Without a name it is what the command prints to, such as a file behind `>`.
            way_out = "Make room on the disk, or write to another one; then run the command again."
            return "What this writes to", f"{known.strerror}.", way_out, PROBLEMS
    return None


def _parts(error: Exception) -> tuple[str, str]:
    """Reason and way out of an error that has both in its text."""
    reason, _, way_out = str(error).partition("\nHint: ")
    return reason, way_out
