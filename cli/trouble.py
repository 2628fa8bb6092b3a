"""Errors that are not mistakes of the program, told in one form: place, reason and way out."""

from __future__ import annotations

from cli.console import PROBLEMS, USED_WRONGLY


def told(error: Exception) -> tuple[str, int] | None:
    """What to say of an error, and the exit code; None for a mistake in the program."""
    from connectors.contract import ConfigurationError
    from flows.local import ServerError
    from flows.settings import SettingsError
    from flows.tick import NotNow
    from ledger.plans import OlderThanLastTick
    from profiles.mapping import MappingError
    from profiles.rows import FileError
    from store.errors import StoreError, translate

    known = translate(error, "") or error
    match known:
        case SettingsError() | MappingError():
            return f"{known.place}: {known.reason}\nHint: {known.way_out}", USED_WRONGLY
        case StoreError() | FileError():
            return f"{known.place}: {known.reason}\nHint: {known.way_out}", PROBLEMS
        case ConfigurationError() | NotNow() | OlderThanLastTick():
            return str(known), USED_WRONGLY
        case ServerError():
            return str(known), PROBLEMS
        case OSError() if known.filename:
            return f"{known.filename}: {known.strerror}.\nHint: See that it is there and that you may write to it.", PROBLEMS
    return None
