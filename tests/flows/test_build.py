"""What people see of a run, asked of the server itself."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from dsl.plan import Plan
from flows.local import Server
from flows.watch import Parameters, Report, Watcher

pytestmark = pytest.mark.prefect

AT = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
BAR_AFTER = 2.0
SOURCE = 'playbook abandoned_cart:\n  about "Bring back a cart left alone for a day."\n'

Tick = Callable[[Parameters, Watcher], Any]


@dataclass(frozen=True)
class Headline:
    headline: str = "nobody entered"


@dataclass(frozen=True)
class Shown:
    """What a server knows of the newest run of a flow."""

    server: Server
    flow: str

    def ask(self, what: str, **body: Any) -> list[dict[str, Any]]:
        answer = httpx.post(f"{self.server.url}/{what}/filter", json=body)
        answer.raise_for_status()
        found: list[dict[str, Any]] = answer.json()
        return found

    @property
    def run(self) -> dict[str, Any]:
        return self.ask("flow_runs", flows={"name": {"any_": [self.flow]}}, sort="START_TIME_DESC")[0]

    def about_run(self, what: str, **more: Any) -> list[dict[str, Any]]:
        return self.ask(what, flow_runs={"id": {"any_": [self.run["id"]]}}, **more)

    @property
    def steps(self) -> list[dict[str, Any]]:
        return self.about_run("task_runs", sort="EXPECTED_START_TIME_ASC")

    @property
    def log(self) -> list[str]:
        this = {"flow_run_id": {"any_": [self.run["id"]]}}
        return [line["message"] for line in self.ask("logs", logs=this, sort="TIMESTAMP_ASC")]


def run(server: Server, plan: Plan, tick: Tick, parameters: Parameters | None = None) -> Any:
    # Not at the top: Prefect must find its surroundings when it is loaded.
    from flows.build import build

    flow = build(plan, source=SOURCE, tick=tick, zone="Europe/Oslo", pace=0.0)
    return server.run(flow, parameters or Parameters())


@pytest.fixture(scope="module")
def drawn(server: Server, plan: Plan, tick: Tick) -> Shown:
    """One run of the whole playbook, under a name that no other test uses."""
    run(server, replace(plan, name="drawn_once"), tick)
    return Shown(server, "drawn_once")


def test_a_run_reads_as_the_playbook(drawn: Shown) -> None:
    names = {step["id"]: step["name"] for step in drawn.steps}
    arrows = {
        step["name"]: sorted(names[before["id"]] for before in step["task_inputs"].get("wait_for", []))
        for step in drawn.steps
    }
    assert arrows == {
        "enter - 312 people": [],
        "if cart.total >= EUR 50 - 312 people": ["enter - 312 people"],
        "send email cart_free_shipping - 312 people": ["if cart.total >= EUR 50 - 312 people"],
        "send email cart_almost_there - 312 people": ["if cart.total >= EUR 50 - 312 people"],
        "wait 1 day - 312 people": [
            "send email cart_almost_there - 312 people",
            "send email cart_free_shipping - 312 people",
        ],
        "send email cart_reminder - 312 people": ["wait 1 day - 312 people"],
        "wait 2 days until 10:00 - 312 people": ["send email cart_reminder - 312 people"],
        "if can receive sms - 312 people": ["wait 2 days until 10:00 - 312 people"],
        "send sms cart_last_call - 312 people": ["if can receive sms - 312 people"],
        "send email cart_last_call - 312 people": ["if can receive sms - 312 people"],
    }
    assert {step["state_type"] for step in drawn.steps} == {"COMPLETED"}
    assert list(arrows)[:2] == ["enter - 312 people", "if cart.total >= EUR 50 - 312 people"]


def test_flow_and_run_are_named_after_the_playbook(server: Server, plan: Plan, tick: Tick) -> None:
    asked = Parameters(dry_run=True, as_of=AT, limit=5)
    assert run(server, plan, tick, asked).parameters == asked
    from flows.build import build

    flow = build(plan, source=SOURCE, tick=tick)
    assert (flow.name, flow.version, flow.fn.__name__) == ("abandoned_cart", plan.digest, "abandoned_cart")
    assert flow.description == f"Bring back a cart left alone for a day.\n\n```\n{SOURCE.strip()}\n```"
    found = Shown(server, "abandoned_cart").run
    assert found["name"] == "21 Nov 2026 11:00 · dry run · 312 entered · 580 sent"
    assert found["flow_version"] == plan.digest
    assert (found["state_type"], found["state"]["message"]) == ("COMPLETED", "312 entered · 580 sent")
    assert found["parameters"] == {"dry_run": True, "as_of": "2026-11-21T10:00:00+00:00", "limit": 5, "only_new": False}
    assert found["state"]["data"] is None


def test_parameters_explain_themselves(plan: Plan, tick: Tick, server: Server) -> None:  # noqa: ARG001  quiet Prefect
    from flows.build import build

    form = build(plan, source=SOURCE, tick=tick).parameters.model_dump()["properties"]
    assert list(form) == ["dry_run", "as_of", "limit", "only_new"]
    assert all(field["description"].endswith(".") for field in form.values())
    assert form["dry_run"]["type"] == "boolean"
    assert form["as_of"]["anyOf"][0] == {"type": "string", "format": "date-time"}
    assert form["limit"]["anyOf"][0] == {"type": "integer", "minimum": 1}


@pytest.mark.parametrize("wrong", [Parameters(as_of=AT.replace(tzinfo=None)), Parameters(limit=0)])
def test_parameters_without_sense_are_refused(server: Server, plan: Plan, tick: Tick, wrong: Parameters) -> None:
    from prefect.exceptions import ParameterTypeError

    with pytest.raises(ParameterTypeError, match=r"timezone|greater than or equal to 1"):
        run(server, plan, tick, wrong)


def test_the_log_is_in_sentences(drawn: Shown) -> None:
    assert "Two messages of the last run have no answer yet." in drawn.log
    assert not [line for line in drawn.log if line.startswith("Finished in state Completed()")]


def test_tables_and_texts_are_kept(drawn: Shown) -> None:
    kept = {made["key"]: made for made in drawn.about_run("artifacts")}
    assert set(kept) == {"drawn-once-steps", "drawn-once-skipped", "drawn-once-summary"}
    steps = json.loads(kept["drawn-once-steps"]["data"])
    assert steps[0] == {"step": "if cart.total >= €50", "people": 312}
    assert kept["drawn-once-summary"]["data"] == "### What happened\n\n**312** people entered."


def test_an_empty_table_is_a_text(server: Server, plan: Plan) -> None:
    def nothing(_: Parameters, watcher: Watcher) -> Report:
        watcher.show("skipped", "Not sent, and why", table=[])
        return Headline()

    run(server, plan, nothing)
    (made,) = Shown(server, "abandoned_cart").about_run("artifacts")
    assert (made["type"], made["data"]) == ("markdown", "### Not sent, and why\n\nNothing to show.")


def test_a_long_step_has_a_bar_that_ends_full(server: Server, plan: Plan) -> None:
    def long(_: Parameters, watcher: Watcher) -> Report:
        async def deliver(key: str, seconds: float) -> None:
            for done in range(750):
                watcher.progress(key, done, 1000)
            await asyncio.sleep(seconds)
            watcher.progress(key, 751, 1000)

        # As deliveries do: one event loop for all, made before the steps are.
        with asyncio.Runner() as loop:
            loop.run(asyncio.sleep(0))
            watcher.run("send:quick", "send email quick", lambda: loop.run(deliver("send:quick", 0)))
            watcher.run("send:slow", "send email slow", lambda: loop.run(deliver("send:slow", BAR_AFTER + 0.1)))
        return Headline()

    run(server, plan, long)
    shown = Shown(server, "abandoned_cart")
    (made,) = shown.about_run("artifacts")
    assert (made["type"], made["key"], made["data"]) == ("progress", "abandoned-cart-send-slow", 100)
    assert made["task_run_id"] == shown.steps[1]["id"]
    assert made["description"] == "1,000 in all"


def test_a_tick_that_raises_fails_the_run_without_telling_values(server: Server, plan: Plan) -> None:
    def broken(_: Parameters, watcher: Watcher) -> Report:
        def ask() -> None:
            with create_engine("sqlite://").connect() as connection:
                connection.execute(text("SELECT :address FROM people"), {"address": "anna@example.com"})

        watcher.run("enter", "enter", ask)
        raise AssertionError("the error of a step comes through")

    with pytest.raises(OperationalError):
        run(server, plan, broken)
    shown = Shown(server, "abandoned_cart")
    told = "(sqlite3.OperationalError) no such table: people"
    assert (shown.run["state_type"], shown.run["state"]["message"]) == ("FAILED", told)
    assert (shown.steps[0]["state_type"], shown.steps[0]["state"]["message"]) == ("FAILED", told)
    assert f"The run stopped. {told}" in shown.log
    assert "anna" not in json.dumps([shown.run, shown.steps, shown.log])


def test_a_step_runs_whatever_became_of_the_one_before(server: Server, plan: Plan) -> None:
    def half(_: Parameters, watcher: Watcher) -> Report:
        def broken() -> None:
            raise ConnectionError("the mail server does not answer")

        with pytest.raises(ConnectionError):
            watcher.run("send:email", "send email a", broken)
        assert watcher.run("send:sms", "send sms b", lambda: 7, after=("send:email", "unknown")) == 7
        return Headline("7 sent")

    run(server, plan, half)
    shown = Shown(server, "abandoned_cart")
    assert [(step["name"], step["state_type"]) for step in shown.steps] == [
        ("send email a", "FAILED"),
        ("send sms b", "COMPLETED"),
    ]
    assert [UUID(before["id"]) for before in shown.steps[1]["task_inputs"]["wait_for"]] == [UUID(shown.steps[0]["id"])]
    assert shown.run["state_type"] == "COMPLETED"


def test_results_stay_as_they_are(server: Server, plan: Plan) -> None:
    people = [object() for _ in range(3)]

    def tick(_: Parameters, watcher: Watcher) -> Report:
        assert watcher.run("enter", "enter {people}", lambda: people) is people
        assert watcher.run("none", "nothing", lambda: None) is None
        return Headline()

    assert run(server, plan, tick) == Headline()
    assert Shown(server, "abandoned_cart").steps[0]["name"] == "enter {people}"
