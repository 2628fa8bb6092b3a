"""The policy as written to the policy as meant. Its sense is looked at in `checks.policy`."""

from __future__ import annotations

from dsl import plan, syntax
from dsl.resolve import names
from dsl.resolve.scope import Scope
from dsl.resolve.values import clock, seconds, weekday


def policy(declared: tuple[syntax.Policy, ...], scope: Scope) -> plan.Policy:
    """What all policy lines say together; lines that are wrong are told and left out."""
    hours: tuple[str, str] | None = None
    days: list[plan.Weekday] = []
    limits: list[plan.Limit] = []
    for line in (line for block in declared for line in block.lines):
        match line:
            case syntax.QuietHours(start=start, end=end):
                hours = hours or (clock(start.value), clock(end.value))
            case syntax.QuietDays(days=words):
                days += [day for day in map(weekday, words) if day not in days]
            case syntax.Limit(channel=word, count=count, per=per):
                if channel := names.channel(word, scope):
                    limits.append(plan.Limit(channel=channel, count=count, seconds=seconds(per)))
            case syntax.Broken():
                pass  # told by the parser
    return plan.Policy(quiet_hours=hours, quiet_days=tuple(days), limits=tuple(limits))
