"""Conditions with `not` only before single tests, and with what being in a stage means."""

from __future__ import annotations

from dsl import catalog
from dsl import conditions as c
from dsl.conditions import Condition
from dsl.program import Stage


def plain(condition: Condition, stages: tuple[Stage, ...], *, holds: bool) -> Condition:
    """The condition, or its opposite, with `not` only before single tests, and with what being in a stage means."""
    match condition:
        case c.Not(condition=inner):
            return plain(inner, stages, holds=not holds)
        case c.AllOf(conditions=parts) | c.AnyOf(conditions=parts):
            inner_parts = tuple(plain(part, stages, holds=holds) for part in parts)
            return (
                c.AllOf(conditions=inner_parts)
                if isinstance(condition, c.AllOf) is holds
                else c.AnyOf(conditions=inner_parts)
            )
        case c.Compare(field=c.Field(name=catalog.STAGE), operator="is not", value=c.Constant(value=str(name))) if (
            not holds
        ):
            return _in_stage(name, stages) or c.Not(condition=condition)
        case _ if not holds:
            return c.Not(condition=condition)
        case c.Compare(field=c.Field(name=catalog.STAGE), operator="is", value=c.Constant(value=str(name))):
            return _in_stage(name, stages) or condition
        case c.OneOf(field=c.Field(name=catalog.STAGE), values=values):
            names = [str(value.value) for value in values if isinstance(value, c.Constant)]
            each = tuple(known for name in names if (known := _in_stage(name, stages)))
            return c.AnyOf(conditions=each) if each and len(each) == len(values) else condition
        case c.HasBeen(field=c.Field(name=catalog.STAGE), value=c.Constant(value=str(name))):
            known = _in_stage(name, stages)
            return c.AllOf(conditions=(condition, known)) if known else condition
        case _:
            return condition


def _in_stage(name: str, stages: tuple[Stage, ...]) -> Condition | None:
    """What holds for those in a stage: its own condition, and none of the stages above. None: there is no such one."""
    parts: list[Condition] = []
    for stage in stages:
        meaning = stage.asked.meaning if stage.asked else None
        if stage.name == name:
            parts += [plain(meaning, (), holds=True)] if meaning else []
            return c.AllOf(conditions=tuple(parts)) if parts else None
        if meaning is not None:
            parts.append(plain(meaning, (), holds=False))
    return None
