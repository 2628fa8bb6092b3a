"""Errors in words that may be shown: the reason and the place, no secrets and no personal data.

What a run tells is kept on Prefect's server and read by many. A database's error quotes the values of the statement, a
library's the address that it could not reach; so nothing of an error is shown before it went through here.
"""

from __future__ import annotations

import re
import traceback

LONGEST = 500
"""Characters of an error that are shown."""

_HIDDEN: tuple[tuple[re.Pattern[str], str], ...] = (
    # SQLAlchemy quotes values and statements, and a link to its own site, each after the reason.
    (re.compile(r"\n?\[(parameters|SQL):.*", re.DOTALL), ""),
    (re.compile(r"\(Background on this error at: \S*\)"), ""),
    # PostgreSQL quotes the offending row.
    (re.compile(r"\n?DETAIL:.*", re.DOTALL), ""),
    (re.compile(r"(?<=://)[^\s/@]+@"), "…@"),
    (re.compile(r"[\w.+%'-]+@[\w-]+(\.[\w-]+)+"), "(an address)"),
    (re.compile(r"\+\d[\d ()-]{6,}\d"), "(a phone number)"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{8,}"), r"\1 …"),
    (re.compile(r"(?i)\b((?:api[_-]?key|token|password|passwd|secret|signature)\b[\"']?\s*[=:]\s*)[^\s,;&]+"), r"\1…"),
)


def reason(error: BaseException) -> str:
    """The error's own sentence, or its kind when it has none."""
    text = str(error)
    for pattern, instead in _HIDDEN:
        text = pattern.sub(instead, text)
    text = text.strip()
    if not text:
        return type(error).__name__
    return text if len(text) <= LONGEST else text[:LONGEST] + " …"


def places(error: BaseException) -> list[str]:
    """Where it happened, outermost first: `advance.py, line 120, in advance`. Only names of code, no values."""
    return [
        f"{frame.filename.rpartition('/')[2]}, line {frame.lineno}, in {frame.name}"
        for frame in traceback.extract_tb(error.__traceback__)
    ]
