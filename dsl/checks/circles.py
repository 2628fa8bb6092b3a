"""Playbooks that enroll people in a circle without a wait would never come to an end."""

from __future__ import annotations

from collections.abc import Iterator

from dsl.diagnostics import Diagnostic
from dsl.program import Enroll, Program, Step, Stop, Wait, blocks, takes_all


def circles(program: Program) -> Iterator[Diagnostic]:
    """`enroll in` the playbook itself, and circles of playbooks that nothing holds up; each once."""
    at_once: dict[str, list[Enroll]] = {}
    for playbook in program.playbooks:
        at_once.setdefault(playbook.name, [])
        _follow(playbook.body, at_once[playbook.name])
    for playbook in program.playbooks:
        for step in (each for each in _enrolls(playbook.body) if each.playbook == playbook.name):
            yield Diagnostic(
                code="WB329",
                span=step.span,
                message=f"Whoever gets here is in `{playbook.name}` already, and nobody is in it twice at a time.",
                hint="To let people come in again, write `enter again after 30 days` at the top, and remove this line.",
            )
    told: set[frozenset[str]] = set()
    for name in at_once:
        way = _way_back(name, at_once)
        if way is None or (members := frozenset(each.playbook or "" for each in way)) in told:
            continue
        told.add(members)
        path = " → ".join(f"`{each}`" for each in (name, *(step.playbook for step in way)))
        yield Diagnostic(
            code="WB329",
            span=way[0].span,
            message=f"These playbooks enroll people in a circle without a wait: {path}.",
            hint="Put a `wait` before one of the `enroll in` lines, or remove one of them.",
        )


def _follow(body: tuple[Step, ...], found: list[Enroll]) -> bool:
    """Adds the `enroll in` steps that somebody reaches without a wait; whether somebody reaches the block's end so."""
    for step in body:
        match step:
            case Wait() | Stop():
                return False
            case Enroll():
                found.append(step)
            case _ if inner := blocks(step):
                ends = [_follow(block, found) for block in inner]
                if takes_all(step) and not any(ends):
                    return False
            case _:
                pass
    return True


def _enrolls(body: tuple[Step, ...]) -> Iterator[Enroll]:
    for step in body:
        if isinstance(step, Enroll):
            yield step
        for inner in blocks(step):
            yield from _enrolls(inner)


def _way_back(name: str, at_once: dict[str, list[Enroll]]) -> list[Enroll] | None:
    """The shortest way over other playbooks back to this one."""
    ways: list[list[Enroll]] = [[step] for step in at_once[name] if step.playbook != name]
    seen = {step.playbook for way in ways for step in way}
    for way in ways:  # which grows while it is gone through
        for step in at_once.get(way[-1].playbook or "", ()):
            if step.playbook == name:
                return [*way, step]
            if step.playbook not in seen:
                seen.add(step.playbook)
                ways.append([*way, step])
    return None
