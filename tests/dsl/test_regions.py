"""Cutting plans at their waits, and walking the pieces."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsl.conditions import Constant, Field
from dsl.plan import Experiment, SetField, Step, Variant, Wait
from dsl.regions import MOST_PATHS, START, Decision, acting, decisions, entries, shifts, unpack, walk
from dsl.types import Type
from tests.dsl.plans_by_chance import branch, choose, interpret, make, random_plan, send


def pack(decided: Sequence[Decision], choices: Mapping[str, int]) -> int:
    """The path, as the ledger's SQL makes it; choices that are not named are 0."""
    pairs = zip(decided, shifts(decided), strict=True)
    return sum(choices.get(decision.id, 0) << shift for decision, shift in pairs)


@settings(max_examples=200, deadline=None)
@given(st.randoms(use_true_random=False))
def test_walking_the_regions_is_walking_the_plan(chance: random.Random) -> None:
    plan = random_plan(chance, every_form=True)
    known = entries(plan)
    for _ in range(5):
        choices = choose(chance, plan)
        taken: list[str] = []
        entry: str | None = known[0]
        reason = None
        while entry is not None:
            assert entry in known
            packed = decisions(plan, entry)
            step = walk(plan, entry, unpack(packed, pack(packed, choices)))
            taken += step.steps
            assert step.next_entry is None or known.index(step.next_entry) > known.index(entry), (
                "later regions come later"
            )
            entry, reason = step.next_entry, step.reason
        assert (taken, reason) == interpret(plan, choices)


@settings(max_examples=50, deadline=None)
@given(st.randoms(use_true_random=False))
def test_packing_keeps_choices(chance: random.Random) -> None:
    plan = random_plan(chance, every_form=True)
    choices = choose(chance, plan)
    packed = decisions(plan, entries(plan)[0])
    assert unpack(packed, pack(packed, choices)) == {decision.id: choices[decision.id] for decision in packed}


def test_a_plan_is_cut_at_its_waits() -> None:
    plan = make(
        branch("if", ["wait"], "b"), Wait(id="wait", seconds=1, next="a"), send("a", "b"), send("b", "wait.2"),
        Wait(id="wait.2", seconds=1, next=None),
    )  # fmt: skip
    assert entries(plan) == (START, "wait", "wait.2")
    assert walk(plan, START, {"if": 1}).next_entry == "wait"
    assert walk(plan, START, {"if": 0}).steps == ("if", "b", "wait.2")
    assert walk(plan, "wait", {}).next_entry == "wait.2"
    assert walk(plan, "wait.2", {}).reason == "end"


def test_two_waits_that_lead_to_one_step_are_two_places() -> None:
    plan = make(
        branch("if", ["a"], "b"), Wait(id="a", seconds=1, next="c"), Wait(id="b", seconds=2, next="c"), send("c")
    )
    assert set(entries(plan)) == {START, "a", "b"}
    assert walk(plan, "a", {}).steps == walk(plan, "b", {}).steps == ("c",)


def test_a_journey_that_begins_with_a_wait() -> None:
    plan = make(Wait(id="a", seconds=1, next="b"), Wait(id="b", seconds=1, next=None))
    assert entries(plan) == (START, "a", "b")
    assert walk(plan, START, {}).steps == ("a",)
    assert walk(plan, "a", {}).steps == ("b",)
    assert walk(plan, "b", {}).steps == ()


def test_a_region_is_cut_before_a_branch_that_may_ask_what_has_just_been_written() -> None:
    """Branches are asked before the region is gone through: `set vip = yes`, then `if vip is yes`."""
    field = Field(scope="profile", name="vip", type=Type.YES_NO)
    change = SetField(id="set", field=field, value=Constant(type=Type.YES_NO, value=True), next="x")
    variants = (Variant(name="a", share=50.0, next="if"), Variant(name="b", share=50.0, next="if"))
    plan = make(
        branch("before", ["set"], None), change, Experiment(id="x", name="x", variants=variants),
        branch("if", ["m"], None), send("m", "if.2"), branch("if.2", ["n"], None), send("n"),
    )  # fmt: skip
    assert entries(plan) == (START, "if")
    assert [step.id for step in decisions(plan, START)] == ["before", "x"]
    assert [step.id for step in decisions(plan, "if")] == ["if", "if.2"]
    assert walk(plan, START, {"before": 1, "x": 2}).next_entry == "if"
    assert [step.id for step in acting(plan, "if")] == ["m", "n"]


def test_an_empty_plan_has_one_region() -> None:
    assert entries(make()) == (START,)


def test_many_branches_in_a_row_are_cut() -> None:
    """Regions are listed path by path in SQL: thirty ifs in a row would be a billion."""
    steps = [branch(f"if.{i}", [f"m.{i}"], f"if.{i + 1}" if i < 29 else None) for i in range(30)]
    sends = [send(f"m.{i}", f"if.{i + 1}" if i < 29 else None) for i in range(30)]
    plan = make(*steps, *sends)
    sizes = [len(decisions(plan, entry)) for entry in entries(plan)]
    assert sizes == [10, 10, 10] and 2 ** max(sizes) <= MOST_PATHS


def test_an_if_with_a_thousand_arms() -> None:
    plan = make(branch("if", [f"m{i}" for i in range(1000)], None), *(send(f"m{i}") for i in range(1000)))
    packed = decisions(plan, "if")
    assert walk(plan, "if", unpack(packed, pack(packed, {"if": 1000}))).steps == ("if", "m999")


def test_a_chain_of_waits_in_arms_does_not_explode() -> None:
    steps: list[Step] = []
    for i in range(40):
        after = f"if.{i + 1}" if i < 39 else None
        steps += [branch(f"if.{i}", [f"w.{i}", f"v.{i}"], after)]
        steps += [Wait(id=f"{kind}.{i}", seconds=60, next=after) for kind in "wv"]
    assert len(entries(make(*steps))) < 130


def test_what_cannot_be_walked() -> None:
    plan = make(branch("if", ["a"], None), send("a", None))
    with pytest.raises(ValueError, match="no arm 2"):
        walk(plan, "if", {"if": 2})
    circle = make(send("a", "b"), send("b", "a"))
    with pytest.raises(ValueError, match="again without a wait"):
        walk(circle, "a", {})
    nothing = make(Experiment(id="x", name="x", variants=(Variant(name="a", share=100.0, next=None),)))
    with pytest.raises(ValueError, match="no arm 0"):
        walk(nothing, "x", {"x": 0})
