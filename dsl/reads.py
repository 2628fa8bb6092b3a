"""What conditions, steps and playbooks read: fields of the person, properties of the starting event."""

from __future__ import annotations

from collections.abc import Iterator

from dsl import conditions as c
from dsl import program
from dsl.catalog import STAGE
from dsl.conditions import Condition, Field, Operand


def tests(condition: Condition) -> Iterator[Condition]:
    """The single tests of a condition, those of a `where` too."""
    todo = [condition]
    while todo:
        match todo.pop():
            case c.AllOf(conditions=parts) | c.AnyOf(conditions=parts):
                todo.extend(reversed(parts))
            case c.Not(condition=inner):
                todo.append(inner)
            case c.HasEvent(where=where) as test:
                yield test
                todo += [where] if where is not None else []
            case c.LastEvent(condition=inner, where=where) as test:
                yield test
                todo += [inner, *([where] if where is not None else [])]
            case test:
                yield test


def fields(condition: Condition) -> Iterator[Field]:
    """Every field that a condition reads, of the person and of events, as often as it stands there."""
    for test in tests(condition):
        match test:
            case c.Compare(field=field, value=value) | c.Includes(field=field, value=value):
                yield from _operands(field, value)
            case c.HasBeen(field=field, value=value):
                yield from _operands(field, value)
            case c.OneOf(field=field, values=values):
                yield from _operands(field, *values)
            case c.Known(field=field) | c.Recency(field=field) | c.Calendar(field=field) | c.Contains(field=field):
                yield field
            case c.Top(field=field):
                yield field
            case _:
                pass


def asks_stage(condition: Condition) -> bool:
    """Whether some part of it asks for the stage of the lifecycle."""
    return any(field.scope == "profile" and field.name == STAGE for field in fields(condition))


def conditions(playbook: program.Playbook) -> Iterator[Condition]:
    """Every condition of a playbook that has a meaning, in its settings and in its steps."""
    heard = (playbook.start_on, playbook.goal)
    for part in (*heard, playbook.start_when, playbook.only_if, *playbook.exits):
        yield from _meant(part)
    for step in program.every_step(playbook.body):
        match step:
            case program.Wait(asked=asked):
                yield from _meant(asked)
            case program.If(arms=arms):
                for arm in arms:
                    yield from _meant(arm.asked)
            case program.Experiment(measure=measure):
                yield from _meant(measure)
            case _:
                pass


def values(playbook: program.Playbook) -> Iterator[Field]:
    """Every field that a playbook reads anywhere: in conditions, arguments, `set` and waits."""
    for condition in conditions(playbook):
        yield from fields(condition)
    for step in program.every_step(playbook.body):
        match step:
            case program.Send(arguments=arguments) | program.Record(arguments=arguments):
                yield from _operands(*(each.value for each in arguments))
            case program.SetField(value=value):
                yield from _operands(value)
            case program.Wait(field=field):
                yield from _operands(field)
            case _:
                pass


def starting_properties(playbook: program.Playbook) -> frozenset[str]:
    """The properties of the starting event without which the playbook cannot run: each `x` of an `event.x`."""
    found = {field.name for field in values(playbook) if field.scope == "event"}
    if playbook.entry is not None and playbook.entry.per is not None:
        found.add(playbook.entry.per)
    return frozenset(found)


def _operands(*sides: Operand | None) -> Iterator[Field]:
    yield from (side for side in sides if isinstance(side, Field))


def _meant(part: program.Asked | program.Heard | None) -> Iterator[Condition]:
    match part:
        case program.Heard(where=where):
            yield from _meant(where)
        case program.Asked(meaning=meaning) if meaning is not None:
            yield meaning
