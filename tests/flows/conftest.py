"""One Prefect server for all tests of flows, and a playbook to run on it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from dsl.conditions import CanReceive, Compare, Constant, Field
from dsl.outline import label
from dsl.plan import Arm, Branch, Entry, Goal, Plan, Schedule, Send, StartOn, Wait
from dsl.types import Type
from flows.graph import before
from flows.local import Server, local_server
from flows.watch import Parameters, Watcher


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    before = dict(os.environ)
    with local_server(tmp_path_factory.mktemp("prefect")) as started:
        started.ready()
        import flows.build  # noqa: F401  Prefect is loaded while its surroundings stand

        # Other tests start commands of their own, which must not find this server.
        os.environ.clear()
        os.environ.update(before)
        yield started


@dataclass(frozen=True, kw_only=True)
class Told:
    """What the tick of these tests gives back."""

    headline: str
    parameters: Parameters


@pytest.fixture(scope="session")
def plan() -> Plan:
    """A branch that joins, a wait, a branch at the end."""
    total = Field(scope="profile", name="cart.total", type=Type.MONEY)
    enough = Compare(field=total, operator=">=", value=Constant(type=Type.MONEY, value=5000))
    phone = CanReceive(channel="sms", topic="marketing")
    return Plan(
        name="abandoned_cart",
        about="Bring back a cart left alone for a day.",
        schedule=Schedule(seconds=900),
        trigger=StartOn(event="product_added"),
        only_if=None,
        entry=Entry(kind="once"),
        exits=(),
        goal=Goal(event="order_completed", seconds=604_800),
        holdout=5.0,
        steps=(
            Branch(
                id="if",
                arms=(Arm(condition=enough, label="if cart.total >= €50", next="if/1/send:cart_free_shipping"),),
                next="if/otherwise/send:cart_almost_there",
            ),
            _send("if/1/send:cart_free_shipping", "email", "cart_free_shipping", "wait:1-day"),
            _send("if/otherwise/send:cart_almost_there", "email", "cart_almost_there", "wait:1-day"),
            Wait(id="wait:1-day", label="1 day", seconds=86_400, next="send:cart_reminder"),
            _send("send:cart_reminder", "email", "cart_reminder", "wait:2-days-until-10:00"),
            Wait(id="wait:2-days-until-10:00", label="2 days until 10:00", days=2, time="10:00", next="if.2"),
            Branch(
                id="if.2",
                arms=(Arm(condition=phone, label="if can receive sms", next="if.2/1/send:cart_last_call"),),
                next="if.2/otherwise/send:cart_last_call",
            ),
            _send("if.2/1/send:cart_last_call", "sms", "cart_last_call", None),
            _send("if.2/otherwise/send:cart_last_call", "email", "cart_last_call", None),
        ),
    )


def _send(id: str, channel: str, template: str, next: str | None) -> Send:
    return Send(id=id, channel=channel, template=template, arguments=(), next=next)


def draw(plan: Plan, watcher: Watcher) -> None:
    """Draw the plan as a tick does: what is done for everybody, then a step for each step of the plan."""
    watcher.say("Two messages of the last run have no answer yet.")
    watcher.run("enter", "enter · 312 people", lambda: None)
    for step in plan.steps:
        watcher.run(
            step.id, f"{label(step, 'EUR')} · 312 people", lambda: None, after=before(plan)[step.id] or ["enter"]
        )
    table = [{"step": label(step, "EUR"), "people": 312} for step in plan.steps]
    watcher.show("steps", "Where people are", table=table)
    watcher.show("skipped", "Not sent, and why", table=[{"reason": "has not consented", "messages": 4}])
    watcher.show("summary", "What happened", "**312** people entered.")


@pytest.fixture(scope="session")
def tick(plan: Plan) -> Callable[[Parameters, Watcher], Told]:
    """A tick that draws the plan, and tells what it was asked."""

    def drawn(parameters: Parameters, watcher: Watcher) -> Told:
        draw(plan, watcher)
        return Told(headline="312 entered · 580 sent", parameters=parameters)

    return drawn
