"""What a template writes of a person is known: who has no first name gets no message that begins with it."""

from __future__ import annotations

from collections.abc import Iterator

from dsl import conditions as c
from dsl.catalog import SUMS, Catalog
from dsl.conditions import Condition
from dsl.diagnostics import Diagnostic
from dsl.program import Experiment, If, Program, Send, Step, blocks
from dsl.suggest import listed
from dsl.types import Type

_ALWAYS = SUMS | {"created_at"}
_NONE: frozenset[str] = frozenset()
_MANY = frozenset({Type.LIST, Type.PRODUCT, Type.PRODUCTS})


def known(program: Program) -> Iterator[Diagnostic]:
    """Each template once in a playbook, at the first send that nothing above asks the fields of."""
    for playbook in program.playbooks:
        asked = [start.meaning for start in (playbook.start_when, playbook.only_if) if start and start.meaning]
        sure = _NONE.union(*(_implied(each)[0] for each in asked))
        told: set[str] = set()
        for send, missing in _block(playbook.body, sure, program.catalog):
            assert send.page is not None
            if send.page.path in told:
                continue
            told.add(send.page.path)
            first = missing[0]
            yield Diagnostic(
                code="WB380",
                span=send.at,
                message=f"The template {send.page.path} writes {listed(missing)}: people of whom that is not known get "
                "no message.",
                hint=f"Write in it what to say instead, like `{{{{ profile.{first} | default('…') }}}}`, or ask "
                f"`{first} is known` first.",
                severity="warning",
            )


def _block(body: tuple[Step, ...], sure: frozenset[str], catalog: Catalog) -> Iterator[tuple[Send, list[str]]]:
    for step in body:
        match step:
            case Send(page=page, channel=str(channel)) if page is not None:
                address = catalog.channels[channel].address
                missing = [name for name in sorted(page.personal - sure - _ALWAYS - {address}) if _one(name, catalog)]
                if missing:
                    yield step, missing
            case If(arms=arms, otherwise=otherwise):
                left = sure
                for arm in arms:
                    meaning = arm.asked.meaning if arm.asked else None
                    if meaning is None:  # a broken condition might have asked
                        continue
                    yes, no = _implied(meaning)
                    yield from _block(arm.body, left | yes, catalog)
                    left |= no
                yield from _block(otherwise or (), left, catalog)
            case Experiment():
                for inner in blocks(step):
                    yield from _block(inner, sure, catalog)
            case _:
                pass


def _one(name: str, catalog: Catalog) -> bool:
    """Whether it is one value, and no list or product."""
    field = catalog.field(name)
    return field is None or field.type not in _MANY


def _implied(condition: Condition) -> tuple[frozenset[str], frozenset[str]]:
    """The fields that are known when the condition holds, and when it does not."""
    match condition:
        case c.Not(condition=inner):
            yes, no = _implied(inner)
            return no, yes
        case c.AllOf(conditions=parts):
            each = [_implied(part) for part in parts]
            return _NONE.union(*(yes for yes, _ in each)), each[0][1].intersection(*(no for _, no in each))
        case c.AnyOf(conditions=parts):
            each = [_implied(part) for part in parts]
            return each[0][0].intersection(*(yes for yes, _ in each)), _NONE.union(*(no for _, no in each))
        case c.Compare(field=field, operator="is not"):
            return _NONE, frozenset({field.name}) if field.scope == "profile" else _NONE
        case c.Compare(field=field) | c.OneOf(field=field) | c.Known(field=field) | c.Contains(field=field):
            return frozenset({field.name}) if field.scope == "profile" else _NONE, _NONE
        case c.Recency(field=field) | c.Calendar(field=field):
            return frozenset({field.name}) if field.scope == "profile" else _NONE, _NONE
        case _:
            return _NONE, _NONE
