"""Did you mean …? The known name nearest to a wrong one."""

from __future__ import annotations

import re
from collections.abc import Collection

from dsl.diagnostics import Edit, Fix, Span

_MEANT = re.compile(
    r"(?:Did you mean `([^`…]+)`\?|For the text, write `([^`…]+)`\.|Write `([^`…]+)` for (?:a|an|text)\b)"
)
"""How a hint begins that says what to put in the place of something wrong."""


def nearest(word: str, known: Collection[str]) -> str | None:
    """The known name that `word` is a slip of, or None when nothing is near enough.

    A slip is a letter too many, too few, wrong or swapped with its neighbour (optimal string alignment); a quarter
    of the word's letters may be slips, and at least one. A name that has the parts of the word among its own, or that
    the word ends with (`total` and `cart.total`), comes after real slips.
    """
    best: tuple[int, str] | None = None
    for name in known:
        limit = max(1, (len(word) + 2) // 4) if best is None else best[0] - 1
        if limit >= 0 and (steps := distance(word, name, limit)) is not None and _parts_alike(word, name):
            best = (steps, name)
    if best is not None:
        return best[1]
    return _same_parts(word, known)


def did_you_mean(word: str, known: Collection[str]) -> str | None:
    """The nearest name as a hint; failing that, the names that begin with the same part."""
    if found := nearest(word, known):
        return f"Did you mean `{found}`?"
    head = _parts(word)[0]
    alike = sorted(name for name in known if _parts(name)[0] == head)[:6]
    return f"Those that begin alike: {listed(alike)}." if alike else None


def meant(hint: str | None, wrong: Span) -> Fix | None:
    """The fix that a hint speaks of, at the place of the wrong name or value."""
    found = _MEANT.match(hint or "")
    if found is None:
        return None
    text = found[found.lastindex or 0]
    return Fix(about=f"Change it to `{text}`", edits=(Edit(span=wrong, text=text),))


def listed(names: Collection[str], last: str = "and") -> str:
    """Names in a sentence: `a`, `b` and `c`."""
    quoted = [f"`{name}`" for name in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} {last} {quoted[-1]}" if quoted else ""


def distance(one: str, other: str, limit: int) -> int | None:
    """The number of slips between two words, or None when there are more than `limit`."""
    if abs(len(one) - len(other)) > limit:
        return None
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        last, before, row = before, row, [i]
        for j, wanted in enumerate(other, 1):
            steps = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != wanted))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == wanted:
                steps = min(steps, last[j - 2] + 1)
            row.append(steps)
        if min(row) > limit:
            return None
    return row[-1] if row[-1] <= limit else None


def _parts_alike(word: str, name: str) -> bool:
    """Whether each part is a slip of its fellow: `order_placed` is no slip of `order_updated`."""
    ours, theirs = _parts(word), _parts(name)
    if len(ours) != len(theirs):
        return True
    return all(distance(a, b, (len(a) + 2) // 3) is not None for a, b in zip(ours, theirs, strict=True))


def _same_parts(word: str, known: Collection[str]) -> str | None:
    parts = set(_parts(word))
    wider = [name for name in known if parts <= set(_parts(name))]
    if wider:
        return min(wider, key=lambda name: (len(name), name))
    return next((name for name in known if word.endswith(f".{name}")), None)


def _parts(name: str) -> list[str]:
    return name.replace(".", "_").split("_")
