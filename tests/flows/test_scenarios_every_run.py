"""The clock that jumps tells the same story as one that stands at every run of the schedule."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from dsl.plan import Plan
from flows.scenario import play as playing
from tests.flows.stories import stories

DAYS = 8
START = datetime(2026, 3, 3, 12, tzinfo=UTC)
"""About when they begin: noon, where the person lives."""
OWN = "field tier is text\nfield trial_ends is date\n"
STARTS = (
    "cart.updated_at is more than {n} hours ago and cart.updated_at is in the last 9 days",
    "has product_viewed at least 2 times in the last {n} days and has no product_viewed in the last 9 hours",
    "has product_viewed before {n} hours ago",
    "trial_ends is in the next {n} days",
    "not last_seen_at is in the last {n} days",
    "orders.last_at is more than {n} hours ago or cart.is_abandoned is yes",
)
LEAVES = (
    "leave on order_completed",
    "leave when has no product_viewed in the last {n} days",
    "leave when cart.count is 0",
)
WAITS = (
    "wait {n} hours",
    "wait until 10:00",
    "wait 1 day until 18:00",
    "wait until 1 day before trial_ends",
    "wait for product_viewed up to {n} days",
    "wait until cart.updated_at is more than {n} hours ago up to 4 days",
    "wait until has no product_viewed in the last {n} days up to 5 days",
)
HAPPENS = (
    "after {n} hours product_viewed", "after {n} hours product_added", "after {n} days order_completed",
    'after {n} days set tier = "gold"',
)  # fmt: skip


def story(random: Random) -> str:
    """A playbook that runs each six hours, and one person's scenario."""

    def some(lines: tuple[str, ...]) -> str:
        return random.choice(lines).format(n=random.randint(2, 7))

    steps = [f"  {some(WAITS)}\n  send email hello\n" for _ in range(2)]
    happens = "".join(f"  {some(HAPPENS)}\n" for _ in range(3))
    return (
        f"{OWN}\nplaybook p:\n  run every 6 hours\n  start when {some(STARTS)}\n  enter every time\n  {some(LEAVES)}\n"
        f"  goal order_completed within 9 days\n\n  send email hello\n{''.join(steps)}"
        '  if tier is "gold" or has product_viewed in the last 2 days:\n    send email offer\n\n'
        'scenario "it" for p:\n  given clock 2026-03-03 12:00\n  given trial_ends = 2026-03-09\n'
        f"  given product_viewed {random.randint(1, 60)} hours ago\n"
        f"  given product_added {random.randint(1, 40)} hours ago\n"
        f"{happens}  expect no leave before 1 minute\n"
    )


@pytest.mark.parametrize("seed", range(6))
def test_the_same_story(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text, until = story(Random(seed)), START + timedelta(days=DAYS)
    (jumped,) = stories(tmp_path / "jumped", text, timeline=True).values()

    def each_run(run: playing._Run, plan: Plan) -> datetime | None:
        last = run.last.get(plan.name)
        at = run.stage.start if last is None else run.stage.grids[plan.name].first(last + timedelta(microseconds=1))
        return at if at < until else None

    monkeypatch.setattr(playing._Run, "_next_of", each_run)
    (stood,) = stories(tmp_path / "stood", text, timeline=True).values()
    assert [(line.at, line.text) for line in jumped.timeline if line.at < until] == [
        (line.at, line.text) for line in stood.timeline if line.at < until
    ]
    assert any(line.text == "entered" for line in stood.timeline) or not jumped.timeline[3:]
    assert stood.runs > jumped.runs
