"""What an edit changes: two plans compared line by line, by the ids of their steps.

Steps are matched by id and not by their text, as people inside are: what is the same step here is the step that they
are taken along to by `deploy --move`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from dsl import codec
from dsl.conditions import JSON
from dsl.outline import outline, settings, way_id
from dsl.plan import Branch, Experiment, Goal, Plan, Step, Wait
from dsl.regions import START
from dsl.wording import duration, say, where, written

Kind = Literal["same", "added", "removed", "changed", "moved"]
Fate = Literal["keep", "move", "gone"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What became of one line of a playbook, `same` included."""

    kind: Kind
    """`moved`: it stands elsewhere among its neighbours, and reads as before."""
    part: Literal["setting", "step", "way", "argument"]
    """`way`: the head of a branch's or experiment's way; `argument`: a line below a step."""
    id: str
    """Of the step; of a way its path; of a setting its first word."""
    depth: int
    old: str | None
    """The line as it was; None: it was not there."""
    new: str | None
    """The line as it is now; None: it is gone."""
    note: str = ""
    """What changed where both lines read alike."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    key: tuple[str, ...]
    part: Literal["setting", "step", "way", "argument"]
    id: str
    depth: int
    text: str
    content: JSON = None
    """What it means, as far as the text does not say it."""
    meaning: str = ""
    """The content in words, for those whose text says less."""


def diff(old: Plan, new: Plan, currency: str = "USD") -> tuple[Change, ...]:
    """Every line of both plans in one order, settings first, each with what became of it. `currency` is for words."""
    before, now = list(_rows(old, currency)), list(_rows(new, currency))
    left, right = {row.key: row for row in before}, {row.key: row for row in now}
    found: list[Change] = []
    matcher = SequenceMatcher(None, [row.key for row in before], [row.key for row in now], autojunk=False)
    for _, i, i_end, j, j_end in matcher.get_opcodes():
        aligned = before[i:i_end] and [r.key for r in before[i:i_end]] == [r.key for r in now[j:j_end]]
        if not aligned:
            found += [_change(row, None) for row in before[i:i_end] if row.key not in right]
        for row in now[j:j_end]:
            found.append(_change(left.get(row.key), row, moved=not aligned))
    return tuple(found)


def _change(old: _Row | None, new: _Row | None, *, moved: bool = False) -> Change:
    row = new or old
    assert row is not None
    kind: Kind
    note = ""
    if old is None or new is None:
        kind = "added" if old is None else "removed"
    elif old.text != new.text or old.content != new.content:
        kind = "changed"
        if old.text == new.text:
            note = (
                f"was: {old.meaning}; is: {new.meaning}" if old.meaning != new.meaning else "means something else now"
            )
    else:
        kind = "moved" if moved else "same"
    return Change(
        kind=kind,
        part=row.part,
        id=row.id,
        depth=row.depth,
        old=old.text if old else None,
        new=new.text if new else None,
        note=note,
    )


# ── A plan as rows ────────────────────────────────────────────────────────────────────────────────────────────────────
def _rows(plan: Plan, currency: str) -> Iterator[_Row]:
    for text in settings(plan, currency):
        word = text.partition(" ")[0]
        key = text if word == "leave" else word  # of `leave` there may be several
        yield _Row(key=("setting", key), part="setting", id=word, depth=0, text=text)
    steps = {step.id: step for step in plan.steps}
    for line in outline(plan, currency):
        step = steps[line.id]
        if line.way is not None and isinstance(step, Branch | Experiment):
            path = way_id(step, line.way)
            content, meaning = _way(step, line.way, currency)
            yield _Row(
                key=("way", path), part="way", id=path, depth=line.depth, text=line.text,
                content=content, meaning=meaning,
            )  # fmt: skip
            continue
        yield _Row(
            key=("step", line.id), part="step", id=line.id, depth=line.depth, text=line.text,
            content=None if isinstance(step, Experiment) else _content(step),
        )  # fmt: skip
        for name, text in _arguments(step, currency):
            yield _Row(
                key=("argument", line.id, name), part="argument", id=line.id, depth=line.depth + 1, text=text
            )  # fmt: skip


def _way(step: Branch | Experiment, way: int, currency: str) -> tuple[JSON, str]:
    """A segment may change under a line that reads `if in segment big`."""
    if isinstance(step, Experiment) or way == 0:
        return None, ""
    condition = step.arms[way - 1].condition
    return codec.encode(condition), say(condition, currency)


def _arguments(step: Step, currency: str) -> Iterator[tuple[str, str]]:
    """The lines below a step, by name."""
    for name, value in getattr(step, "arguments", ()):
        yield name, f"{name} = {written(value, currency)}"
    measure = getattr(step, "measure", None)
    if isinstance(measure, Goal):
        asked = f" {where(measure.where, currency)}" if measure.where else ""
        yield "measure", f"measure {measure.event} within {duration(measure.seconds)}{asked}"


def _content(step: Step) -> JSON:
    """What a step does by itself: without what follows it, and without what has lines of its own."""
    told = codec.encode(step)
    assert isinstance(told, dict)
    return {name: value for name, value in told.items() if name not in ("next", "arms", "variants", "arguments")}


# ── People inside ─────────────────────────────────────────────────────────────────────────────────────────────────────
def fate(old: Plan, new: Plan, at: str) -> Fate:
    """What an edit could do to people on `old` who stand at the wait `at` (or at `regions.START`).

    They stay on their version whatever comes. `keep`: what is before them is the same in `new`. `move`: the step is
    there, and it or what may follow is not the same, so that `deploy --move` would change what they get. `gone`: `new`
    has no such step, and `deploy --move` refuses. When a wait for a time is over is settled already: there the step
    that follows counts. What ends a wait for a condition does not, so it must be in `new` itself.
    """
    step = next((step for step in old.steps if step.id == at), None)
    if at == START or (isinstance(step, Wait) and step.condition is None):
        follows = step.next if isinstance(step, Wait) else old.first
        if follows is None:
            return "keep"
        at = follows
    before, now = ({step.id: codec.encode(step) for step in plan.steps} for plan in (old, new))
    if at not in now or at not in before:
        return "gone"
    return "keep" if _ahead(old, at) == _ahead(new, at) else "move"


def _ahead(plan: Plan, at: str) -> dict[str, JSON]:
    """The steps that may come from `at` on, with their edges, as JSON."""
    steps = {step.id: step for step in plan.steps}
    found: dict[str, JSON] = {}
    pending = [at]
    while pending:
        id = pending.pop()
        if id in found:
            continue
        found[id] = codec.encode(steps[id])
        pending += _following(steps[id])
    return found


def _following(step: Step) -> list[str]:
    ways = (*getattr(step, "arms", ()), *getattr(step, "variants", ()), step)
    return [following for way in ways if (following := getattr(way, "next", None)) is not None]


# ── To be read ────────────────────────────────────────────────────────────────────────────────────────────────────────
SIGNS = {"same": " ", "added": "+", "removed": "-", "changed": "~", "moved": "~"}


def edited(changes: Iterable[Change]) -> bool:
    """Whether anything is not as it was."""
    return any(change.kind != "same" for change in changes)


def render(changes: Sequence[Change], *, around: int = 1) -> tuple[str, ...]:
    """The edit as a small diff: `- wait 2 days`, `+ wait 3 days`, with `around` lines and the heads of blocks around;
    `…` for what is left out. Empty for two plans that are the same."""
    kept: set[int] = set()
    for i, change in enumerate(changes):
        if change.kind == "same":
            continue
        kept.update(range(max(0, i - around), min(len(changes), i + around + 1)))
        kept.update(_heads(changes, i))
    lines: list[str] = []
    for i, change in enumerate(changes):
        if i in kept:
            lines += _lines(change)
        elif kept and (not lines or lines[-1] != "  …"):
            lines.append("  …")
    return tuple(lines)


def _heads(changes: Sequence[Change], i: int) -> Iterator[int]:
    """The lines above that hold this one."""
    depth = changes[i].depth
    for j in range(i - 1, -1, -1):
        if changes[j].depth < depth and changes[j].part != "setting":
            depth = changes[j].depth
            yield j


def _lines(change: Change) -> Iterator[str]:
    indent = "  " * change.depth
    text = change.new if change.new is not None else change.old
    match change.kind:
        case "changed" if change.old != change.new:
            yield f"- {indent}{change.old}"
            yield f"+ {indent}{change.new}"
        case "changed":
            yield f"~ {indent}{text}  ({change.note})"
        case "moved":
            yield f"~ {indent}{text}  (moved)"
        case kind:
            yield f"{SIGNS[kind]} {indent}{text}"
