"""What can happen in a playbook: all that a scenario may expect of it, with the playbooks that it enrolls people in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dsl import program
from dsl.plan import HOLDOUT_ARM


@dataclass(frozen=True, slots=True, kw_only=True)
class Deeds:
    """`enter`, `leave` and `goal` are the playbook's own; the rest is also that of playbooks that it enrolls in."""

    sends: frozenset[tuple[str, str]]
    """(channel, template)"""
    records: frozenset[tuple[str, str]]
    """(verb, noun)"""
    audiences: frozenset[tuple[str, str]]
    """(`add` or `remove`, name)"""
    waits: frozenset[str]
    """As written: `2 days`."""
    experiments: dict[str, tuple[str, ...]]
    """The arms of each, the holdout's among them."""
    has_goal: bool
    can_leave: bool
    whole: bool
    """Nothing in it is broken: what is not here never happens."""


def deeds(playbook: program.Playbook, playbooks: Sequence[program.Playbook]) -> Deeds:
    """What can happen to somebody who enters `playbook`."""
    steps = [step for each in reached(playbook, playbooks) for step in program.every_step(each.body)]
    waits = [step for step in steps if isinstance(step, program.Wait)]
    broken = any(_is_broken(step) for step in steps)
    return Deeds(
        sends=frozenset((s.channel, s.template) for s in steps if isinstance(s, program.Send) and s.channel),
        records=frozenset((s.verb, s.noun) for s in steps if isinstance(s, program.Record) and s.noun),
        audiences=frozenset(
            (s.kind, s.audience) for s in steps if isinstance(s, program.ChangeAudience) and s.audience
        ),
        waits=frozenset(wait.words for wait in waits),
        experiments={s.name: tuple(_arms(s)) for s in steps if isinstance(s, program.Experiment)},
        has_goal=playbook.goal is not None or "goal" in playbook.unread,
        can_leave=bool(playbook.exits) or "leave" in playbook.unread or any(wait.field for wait in waits),
        whole=not broken and not playbook.unread,
    )


def reached(playbook: program.Playbook, playbooks: Sequence[program.Playbook]) -> tuple[program.Playbook, ...]:
    """The playbook, and those that it enrolls people in, and these again, each once."""
    known = {each.name: each for each in reversed(playbooks)}
    found = {playbook.name: playbook}
    todo = [playbook]
    while todo:
        for step in program.every_step(todo.pop(0).body):
            if isinstance(step, program.Enroll) and step.playbook in known and step.playbook not in found:
                found[step.playbook] = known[step.playbook]
                todo.append(known[step.playbook])
    return tuple(found.values())


def _is_broken(step: program.Step) -> bool:
    match step:
        case program.Broken():
            return True
        case program.Send(channel=name) | program.Record(noun=name):
            return name is None
        case program.ChangeAudience(audience=name) | program.Enroll(playbook=name):
            return name is None
        case _:
            return False


def _arms(step: program.Experiment) -> Iterator[str]:
    yield from (variant.name for variant in step.variants)
    if step.holdout is not None:
        yield HOLDOUT_ARM
