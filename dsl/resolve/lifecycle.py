"""The lifecycle as written to stages as meant. What makes it whole is looked at in `checks.lifecycle`."""

from __future__ import annotations

from dataclasses import replace

from dsl import program, syntax
from dsl.catalog import STAGE, Catalog, Field
from dsl.resolve.conditions import ask
from dsl.resolve.scope import Scope
from dsl.types import Type


def stage_names(declared: tuple[syntax.Lifecycle, ...]) -> tuple[str, ...]:
    """The names of the stages, in the order written: those of a lifecycle too many count as well, for it is told."""
    names = (line.name.text for block in declared for line in block.stages if isinstance(line, syntax.Stage))
    return tuple(dict.fromkeys(names))


def with_stage(declared: tuple[syntax.Lifecycle, ...], catalog: Catalog) -> Catalog:
    """The catalog with the field `stage`, if there is a lifecycle."""
    if not declared:
        return catalog
    field = Field(name=STAGE, type=Type.TEXT, about="The stage of the lifecycle that the person is in now.")
    return replace(catalog, fields={**catalog.fields, STAGE: field})


def lifecycle(declared: tuple[syntax.Lifecycle, ...], scope: Scope) -> tuple[program.Stage, ...]:
    """The stages of the first lifecycle, in order. A line that could not be read is left out: that is told."""
    inside = replace(scope, entry=False, place="in a stage")
    for block in declared[1:]:
        _stages(block, inside)  # for the mistakes in it
    return _stages(declared[0], inside) if declared else ()


def _stages(block: syntax.Lifecycle, scope: Scope) -> tuple[program.Stage, ...]:
    return tuple(
        program.Stage(
            name=line.name.text,
            span=line.name.span,
            asked=None if line.condition is None else ask(line.condition, scope),
        )
        for line in block.stages
        if isinstance(line, syntax.Stage)
    )
