"""Stages and audiences as they leave the compiler, and what does not leave it while they are wrong."""

from __future__ import annotations

from dsl import conditions as c
from dsl import plan
from dsl.compile import Compiled, compile_sources
from dsl.conditions import Constant, Field
from dsl.types import Type
from dsl.wording import say
from tests.dsl.shop import shop

STAGES = """\
lifecycle:
  hero when orders.value >= $500
  at_risk when orders.last_at is in the last 90 days
  prospect otherwise
"""
PLAYBOOK = """\
playbook {name}:
  start on signed_up
  enter once
  if {asked}:
    send email hello
"""


def compiled(*sources: str) -> Compiled:
    return compile_sources({f"{n}.playbook": source for n, source in enumerate(sources)}, shop())


def test_stages_leave_in_order_and_the_last_has_no_condition() -> None:
    found = compiled(STAGES)
    assert found.problems == ()
    assert [stage.name for stage in found.lifecycle] == ["hero", "at_risk", "prospect"]
    assert found.lifecycle[0] == plan.Stage(
        name="hero",
        condition=c.Compare(
            field=Field(scope="profile", name="orders.value", type=Type.MONEY),
            operator=">=",
            value=Constant(type=Type.MONEY, value=50_000),
        ),
    )
    assert found.lifecycle[-1].condition is None
    assert found.catalog.fields["stage"].type is Type.TEXT


def test_without_a_lifecycle_there_is_no_stage() -> None:
    assert compiled("segment s when city is known\n").lifecycle == ()
    assert "stage" not in compiled("segment s when city is known\n").catalog.fields


def test_the_name_of_a_stage_means_its_text_and_is_said_without_quotation_marks() -> None:
    found = compiled(STAGES, 'segment a when stage is hero\nsegment b when stage is "hero"\n')
    assert found.problems == ()
    assert found.segments["a"] == found.segments["b"]
    assert say(found.segments["b"], "USD") == "stage is hero"
    assert say(c.Not(condition=found.segments["b"]), "USD") == "not stage is hero"


def test_a_field_of_a_stages_name_does_not_hide_the_stage() -> None:
    found = compiled(STAGES, "field hero is text\nlet at_risk = 3\nsegment a when stage is one of hero, at_risk\n")
    assert found.problems == ()
    assert say(found.segments["a"], "USD") == "stage is one of hero, at_risk"


def test_nothing_that_asks_for_the_stage_runs_while_the_lifecycle_is_wrong() -> None:
    rest = (
        PLAYBOOK.format(name="asks", asked="in segment heroes"),
        PLAYBOOK.format(name="other", asked="orders.count > 3"),
        "segment heroes when stage is hero\nsegment loyal when orders.count > 3\n",
        "audience best on facebook:\n  include when stage is hero\n"
        "audience rest on facebook:\n  include when orders.count > 3\n  exclude when in segment heroes\n"
        "audience loyals on facebook:\n  include when orders.count > 3\n",
        "playbook tells:\n  start on signed_up\n  enter once\n  update contact:\n    stage = stage\n",
    )
    whole = compiled(STAGES, *rest)
    assert whole.problems == ()
    assert set(whole.plans) == {"asks", "other", "tells"}
    assert set(whole.audiences) == {"best", "rest", "loyals"}
    for broken in (
        STAGES.replace("orders.value", "orders.valeu"),
        STAGES.replace("  prospect otherwise\n", ""),
        STAGES.replace("at_risk when", "at_risk wehn"),
        STAGES.replace("lifecycle:", "lifecycel:"),
        STAGES.replace("orders.value >= $500", "in segment unheard_of"),
        STAGES + STAGES,
    ):
        found = compiled(broken, *rest)
        assert not found.ok
        assert found.lifecycle == ()
        assert set(found.plans) == {"other"}
        assert set(found.audiences) == {"loyals"}
        assert set(found.segments) == {"loyal"}


def test_an_audience_is_its_rules_wherever_it_is_asked_for() -> None:
    found = compiled(
        "audience b on facebook:\n  include when orders.count > 3\n  exclude when in audience a\n"
        "audience a on facebook:\n  include when in segment s\n"
        "segment s when orders.value > $100 or in audience kept\n"
        'audience kept on facebook:\n  about "By hand."\n'
        "segment asked when in audience b\n"
        "playbook p:\n  start on signed_up\n  enter once\n  add to audience kept\n"
        "  if in audience b or in audience a:\n    send email hello\n"
    )
    assert found.problems == ()
    rule = found.audiences["b"].members
    assert rule == found.segments["asked"]
    assert rule is not None
    assert say(rule, "USD") == "orders.count > 3 and not (orders.value > $100 or in audience kept)"
    assert found.audiences["kept"].members is None
    fork = found.plans["p"].step("if")
    assert isinstance(fork, plan.Branch)
    assert fork.arms[0].label == "if in audience b or in audience a"


def test_an_audience_leaves_with_its_schedule_and_what_its_service_is_told() -> None:
    found = compiled(
        'let cap = 10%\naudience a on facebook:\n  about "All."\n  run every monday at 04:00\n'
        "  include when orders.count > 3\n  bid = $6.00\n  share = cap\n"
    )
    assert found.problems == ()
    audience = found.audiences["a"]
    assert (audience.connector, audience.about) == ("facebook", "All.")
    assert audience.schedule == plan.Schedule(time="04:00", weekday="monday")
    assert audience.arguments == (
        ("bid", Constant(type=Type.MONEY, value=600)),
        ("share", Constant(type=Type.PERCENT, value=10.0)),
    )


def test_an_audience_on_a_circle_has_no_rules_and_is_told_once() -> None:
    found = compiled(
        "".join(
            f"audience a{n} on facebook:\n  include when orders.count > {n + 1} or in audience a{(n + 1) % 40}\n"
            for n in range(40)
        )
        + PLAYBOOK.format(name="asks", asked="in audience a7")
    )
    assert [problem.code for problem in found.problems] == ["WB247"]
    assert set(found.plans) == set()
    assert set(found.audiences) == set()


def test_a_long_chain_of_audiences_is_no_trouble() -> None:
    found = compiled(
        "".join(f"audience a{n} on facebook:\n  include when in audience a{n + 1}\n" for n in range(1000))
        + "audience a1000 on facebook:\n  include when orders.count > 3\n"
    )
    assert found.problems == ()
    assert found.audiences["a0"].members == found.audiences["a1000"].members


def test_rules_that_are_too_large_together_are_told() -> None:
    many = " or ".join(["cart.total > $5"] * 250)
    found = compiled(f"audience a on facebook:\n  include when {many}\n  exclude when city is known and ({many})\n")
    assert [(problem.code, problem.span.line) for problem in found.problems if problem.severity == "error"] == [
        ("WB225", 2)
    ]
    assert found.audiences == {}


def test_a_long_row_of_playbooks_that_enroll_is_no_trouble() -> None:
    row = "".join(f"playbook p{n}:\n  start on signed_up\n  enter once\n  enroll in p{n + 1}\n" for n in range(300))
    found = compiled(row + "playbook p300:\n  start on signed_up\n  enter once\n  send email hello\n")
    assert found.problems == ()
    again = compiled(row + "playbook p300:\n  start on signed_up\n  enter once\n  enroll in p0\n")
    assert [problem.code for problem in again.problems] == ["WB329"]
