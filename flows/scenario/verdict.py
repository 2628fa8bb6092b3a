"""What was expected against what happened, and in one sentence why not.

`after D` counts from entry (of `enter` itself from the start), give or take the playbook's schedule; `before D` counts
from the start. Without a number once is enough; with one it is exactly so often.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from dsl import scenario as s
from dsl.diagnostics import Span
from dsl.outline import outline
from dsl.plan import ChangeAudience, Plan, Record, Send, Step, Wait
from dsl.wording import duration, plural
from flows.scenario.clock import Grid
from flows.scenario.facts import Fact
from store.clock import SECOND, instant, micros

if TYPE_CHECKING:
    from flows.scenario.why import Watching

_MOST = 3
"""Times that are named of many."""
_MESSAGES = ("send", "create", "update")
_DONE = {"send": "was sent", "create": "was made", "update": "was made", "enter": "happened", "leave": "happened",
         "goal": "was reached", "add": "happened", "remove": "happened", "wait": "began"}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Why a scenario fails."""

    span: Span = field(compare=False)
    """The line that was not met; the scenario's name where it is no line."""
    text: str
    """That line as written; empty where it is no line."""
    told: str
    """What happened instead, in a sentence."""
    hint: str | None = None


def verdict(
    scenario: s.Scenario,
    facts: Sequence[Fact],
    *,
    plan: Plan,
    grid: Grid,
    start: datetime,
    zone: ZoneInfo,
    watching: Watching | None,
) -> tuple[Problem, ...]:
    """The lines of the scenario that were not met, and what could not be made at all."""
    court = _Court(plan=plan, facts=facts, grid=grid, start=micros(start), zone=zone, watching=watching)
    broken = {(fact.text, fact.why) for fact in facts if fact.failed and fact.kind in _MESSAGES}
    problems = [
        Problem(span=scenario.span, text="", told=f"`{text}` could not be made: {why}", hint=_FILL)
        for text, why in sorted(broken)
    ]
    for line in scenario.lines:
        if isinstance(line, s.Expect) and (told := court.hear(line)) is not None:
            problems.append(Problem(span=line.span, text=line.text, told=told))
    return tuple(problems)


_FILL = "Give the person, in `given` lines, what the template reads; or let the template do without it."


@dataclass(frozen=True, slots=True, kw_only=True)
class _Court:
    plan: Plan
    facts: Sequence[Fact]
    grid: Grid
    start: int
    zone: ZoneInfo
    watching: Watching | None

    def hear(self, line: s.Expect) -> str | None:
        """None when the line is met, else what happened instead."""
        alike = [fact for fact in self.facts if self._is(line, fact)]
        happened = [fact for fact in alike if fact.happened]
        if line.never:
            early = [f for f in happened if line.before is None or f.at < self.start + line.before * SECOND]
            return f"It {_DONE[line.outcome]} {self._times(line, early)}." if early else None
        fitting = [fact for fact in happened if self._in_time(line, fact)]
        if len(fitting) == line.times if line.times is not None else fitting:
            return None
        if line.times is not None and fitting:
            return f"It {_DONE[line.outcome]} {_often(len(fitting))}: {self._times(line, fitting)}."
        if happened:
            return f"It {_DONE[line.outcome]} {self._times(line, happened)} instead."
        refused = [fact for fact in alike if not fact.happened]
        if refused:
            verb = "made" if line.outcome != "send" else "sent"
            return f"It was to be {verb} {self._times(line, refused)}, and was not: {refused[0].why.rstrip('.')}."
        return self._missing(line)

    def _is(self, line: s.Expect, fact: Fact) -> bool:
        if fact.kind != line.outcome:
            return False
        if line.outcome in ("enter", "leave", "goal"):
            return fact.playbook == self.plan.name
        return fact.name == line.name and (line.channel is None or fact.channel == line.channel)

    def _entry(self, line: s.Expect, fact: Fact) -> int:
        """From when `after` counts."""
        if line.outcome == "enter":
            return self.start
        if fact.playbook == self.plan.name:
            return fact.entered_at
        entries = [each.at for each in self.facts if each.kind == "enter" and each.playbook == self.plan.name]
        return max((at for at in entries if at <= fact.at), default=fact.entered_at)

    def _in_time(self, line: s.Expect, fact: Fact) -> bool:
        if line.after is None:
            return True
        off = fact.at - self._entry(line, fact) - line.after * SECOND
        return abs(off) <= self.grid.tolerance * SECOND

    # ── Saying it ─────────────────────────────────────────────────────────────────────────────────────────────────────
    def _times(self, line: s.Expect, facts: Sequence[Fact]) -> str:
        from_start = line.outcome == "enter" or line.never
        said = []
        for fact in facts[:_MOST]:
            base = self.start if from_start else self._entry(line, fact)
            said.append(f"{_since(fact.at - base, 'the start' if from_start else 'entry')} ({self._clock(fact.at)})")
        more = f" and {len(facts) - _MOST} more times" if len(facts) > _MOST else ""
        return ", ".join(said) + more

    def _clock(self, at: int) -> str:
        return f"{instant(at).astimezone(self.zone):%a %d %b %H:%M}"

    def _missing(self, line: s.Expect) -> str:
        entered = [fact for fact in self.facts if fact.kind == "enter" and fact.playbook == self.plan.name]
        if not entered:
            why = self.watching.not_entered(self.plan) if self.watching else ""
            return f"The person never entered `{self.plan.name}`{f': {why}' if why else ''}."
        if line.outcome == "goal" and self.plan.goal is not None:
            goal = self.plan.goal
            return f"No `{goal.event}` that counts came within {duration(goal.seconds)} of entry."
        if line.outcome == "leave":
            ends = [fact for fact in self.facts if fact.kind == "end" and fact.playbook == self.plan.name]
            how = f": the journey {ends[-1].text}" if ends else ""
            return f"The person did not leave early{how}{self._when(ends[-1]) if ends else ''}."
        return self._way(line)

    def _way(self, line: s.Expect) -> str:
        """At which fork the person went another way, or where the journey ended before."""
        steps = [step.id for step in self.plan.steps if _does(step, line)]
        for id in steps:
            for fork, way in _forks(self.plan, id):
                taken = [fact for fact in self.facts if fact.step == fork and fact.kind in ("branch", "experiment")]
                if not taken:
                    break
                if all(fact.name != way for fact in taken):
                    return self._other_way(fork, way, taken[0])
        ends = [f for f in self.facts if f.playbook == self.plan.name and f.kind in ("leave", "end")]
        if ends:
            said = "The person" if ends[0].kind == "leave" else "The journey"
            return f"{said} {ends[0].text}{self._when(ends[0])}, before it came to that."
        if not steps:
            return "Nothing of the kind happened."
        return "The clock stopped before it came to that."

    def _when(self, fact: Fact) -> str:
        return f" {_since(fact.at - fact.entered_at, 'entry')} ({self._clock(fact.at)})"

    def _other_way(self, fork: str, way: str, taken: Fact) -> str:
        asked = self.watching.values(taken.playbook, fork, taken.at) if self.watching else ""
        wanted = next(
            (line.text for line in outline(self.plan) if line.id == fork and str(line.way) == way), way
        )  # fmt: skip
        if taken.kind == "experiment":
            hint = f"A scenario chooses it with `given experiment … picks {way}`."
            return f"The person was in another arm, `{taken.text}`. {hint}"
        head = taken.text.removesuffix(":")
        because = f": {asked}" if asked else ""
        return f"The person went another way{self._when(taken)}: `{head}` and not `{wanted}`{because}."


def _does(step: Step, line: s.Expect) -> bool:
    match step:
        case Send(channel=channel, template=template):
            return line.outcome == "send" and (channel, template) == (line.channel, line.name)
        case Record(verb=verb, noun=noun):
            return (verb, noun) == (line.outcome, line.name)
        case ChangeAudience(kind=kind, audience=audience):
            return (kind, audience) == (line.outcome, line.name)
        case Wait(label=words):
            return line.outcome == "wait" and words == line.name
        case _:
            return False


def _forks(plan: Plan, id: str) -> Iterator[tuple[str, str]]:
    """The forks around a step, outermost first, each with the way that leads to it: a number, or an arm's name."""
    parts = id.split("/")
    steps = {step.id for step in plan.steps}
    for end in range(1, len(parts)):
        fork = "/".join(parts[:end])
        if fork in steps:
            way = parts[end]
            yield fork, "0" if way == "otherwise" else way


def _often(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _since(length: int, mark: str) -> str:
    """`1 day 2 hours after entry`, `15 minutes before the start`, `at entry`; of microseconds."""
    minutes = timedelta(microseconds=abs(length)) // timedelta(minutes=1)
    parts = []
    for unit, of in (("day", 1440), ("hour", 60), ("minute", 1)):
        count, minutes = divmod(minutes, of)
        if count:
            parts.append(f"{count} {plural(unit, count)}")
    return f"{' '.join(parts[:2])} {'before' if length < 0 else 'after'} {mark}" if parts else f"at {mark}"
