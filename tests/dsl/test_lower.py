"""Playbooks and their plans: what is written in tests/plans beside each playbook, the ids, and the edges.

`python -m tests.dsl.test_lower` writes the plans anew: look at the difference before you keep it.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dsl import plan
from dsl.compile import compile_sources
from dsl.plan import Plan, from_json
from tests.dsl.shop import shop

PLANS = sorted((Path(__file__).parents[1] / "plans").glob("*.playbook"))


def compiled(path: Path) -> Plan:
    found = compile_sources({path.name: path.read_text(encoding="utf-8")}, shop())
    assert found.problems == ()
    return found.plans[path.stem]


def journey(*lines: str) -> Plan:
    """The plan of these steps."""
    head = ("playbook p:", "  start on signed_up", "  enter once")
    found = compile_sources({"p.playbook": "\n".join((*head, *(f"  {line}" for line in lines), ""))}, shop())
    assert found.ok, found.problems
    return found.plans["p"]


def ids(*lines: str) -> list[str]:
    return [step.id for step in journey(*lines).steps]


@pytest.mark.parametrize("path", PLANS, ids=lambda path: path.stem)
def test_plan_as_written(path: Path) -> None:
    wanted = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    assert compiled(path).to_json() == wanted


@pytest.mark.parametrize("path", PLANS, ids=lambda path: path.stem)
def test_plan_goes_through_json(path: Path) -> None:
    made = compiled(path)
    again = from_json(json.loads(json.dumps(made.to_json())))
    assert again == made
    assert again.digest == made.digest


@pytest.mark.parametrize("path", PLANS, ids=lambda path: path.stem)
def test_every_edge_leads_to_a_step_and_every_step_is_reached(path: Path) -> None:
    made = compiled(path)
    known = {step.id for step in made.steps}
    assert len(known) == len(made.steps)
    edges = {after for step in made.steps for after in leads_to(step)}
    assert edges - {None} == known - {made.first}


def leads_to(step: plan.Step) -> set[str | None]:
    match step:
        case plan.Branch(arms=arms, next=after):
            return {after, *(arm.next for arm in arms)}
        case plan.Experiment(variants=variants):
            return {variant.next for variant in variants}
        case plan.Stop():
            return set()
        case _:
            return {step.next}


def test_ids_are_made_of_names() -> None:
    assert ids(
        "send email hello",
        "wait 1 day",
        "wait until 10:00",
        "wait until thursday 10:00",
        "wait 2 days until 09:00",
        "send email hello",
        "if orders.count is 1:",
        "  send email hello",
        "otherwise if orders.count is 2:",
        "  wait 24 hours",
        "  wait 24 hours",
        "otherwise:",
        "  stop",
        "if orders.count is 3:",
        "  send email offers",
        "experiment welcome:",
        "  measure order_completed within 60 days",
        "  variant ten_percent 90%:",
        "    send email offers",
        "  holdout 10%",
    ) == [
        "send:hello",
        "wait:1-day",
        "wait:until-10:00",
        "wait:until-thursday-10:00",
        "wait:2-days-until-09:00",
        "send:hello.2",
        "if",
        "if/1/send:hello",
        "if/2/wait:24-hours",
        "if/2/wait:24-hours.2",
        "if/otherwise/stop",
        "if.2",
        "if.2/1/send:offers",
        "welcome",
        "welcome/ten_percent/send:offers",
    ]


BASE = (
    "send email hello",
    "wait 1 day",
    "if orders.count is 1:",
    "  send email hello",
    "  wait 1 day",
    "send email offers",
)


@pytest.mark.parametrize("at", [0, 1, 2, 3, 5, 6])
def test_a_step_put_in_leaves_all_other_ids(at: int) -> None:
    """Of another name, anywhere, at the top or in a block."""
    before = ids(*BASE)
    depth = "  " if BASE[at : at + 1] and BASE[at].startswith("  ") else ""
    after = ids(*BASE[:at], f"{depth}send email receipt", *BASE[at:])
    assert [id for id in after if not id.endswith("send:receipt")] == before
    assert len(after) == len(before) + 1


def test_a_step_of_the_same_name_counts_only_those_behind_it() -> None:
    assert ids("send email hello", "send email offers", "send email hello") == [
        "send:hello",
        "send:offers",
        "send:hello.2",
    ]
    assert ids("if orders.count is 1:", "  send email hello", "send email hello") == [
        "if",
        "if/1/send:hello",
        "send:hello",
    ]


def test_branches_join_after_the_block() -> None:
    made = journey(
        "if orders.count is 1:",
        "  send email hello",
        "otherwise if orders.count is 2:",
        "  stop",
        "send email offers",
        "if orders.count is 3:",
        "  send email hello",
    )
    first, last = made.step("if"), made.step("if.2")
    assert isinstance(first, plan.Branch)
    assert isinstance(last, plan.Branch)
    assert first.next == "send:offers"
    assert made.step("if/1/send:hello") == plan.Send(
        id="if/1/send:hello", channel="email", template="hello", arguments=(), next="send:offers"
    )
    assert made.step("if/2/stop") == plan.Stop(id="if/2/stop")
    assert last.next is None
    assert made.step("if.2/1/send:hello").next is None  # type: ignore[union-attr]


def test_the_holdout_is_an_arm_that_goes_on_after_the_block() -> None:
    made = journey(
        "experiment e:",
        "  measure order_completed within 7 days",
        "  variant a 60.5%:",
        "    send email hello",
        "  holdout 39.5%",
        "send email offers",
    )
    experiment = made.step("e")
    assert isinstance(experiment, plan.Experiment)
    assert experiment.variants == (
        plan.Variant(name="a", share=60.5, next="e/a/send:hello"),
        plan.Variant(name="holdout_group", share=39.5, next="send:offers"),
    )
    assert experiment.measure == plan.Goal(event="order_completed", seconds=7 * 86_400)


def test_layout_and_comments_are_no_part_of_the_version() -> None:
    lines = ("if orders.count is 1 and city is known:", "  send email hello")
    spaced = ("if orders.count   is 1   # why", "    and city is known:", "    # once", "    send email hello")
    assert journey(*lines).digest == journey(*spaced).digest
    assert journey(*lines).digest != journey("if orders.count is 2 and city is known:", lines[1]).digest


if __name__ == "__main__":
    for each in PLANS:
        text = json.dumps(compiled(each).to_json(), indent=2, ensure_ascii=False)
        each.with_suffix(".json").write_text(text + "\n", encoding="utf-8")
