"""The shipped playbooks compile with their own templates, without an error or a warning."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.templates import load_templates
from dsl.compile import Compiled, compile_sources
from dsl.plan import Experiment, Send, StartOn, StartWhen, Wait
from dsl.standard import standard_catalog

FOLDER = Path(__file__).parents[2] / "playbooks"


@pytest.fixture(scope="module")
def compiled() -> Compiled:
    catalog = standard_catalog(templates=load_templates(FOLDER / "templates").describe())
    return compile_sources({path.name: path.read_text("utf-8") for path in FOLDER.glob("*.playbook")}, catalog)


def test_the_compiler_has_nothing_to_say(compiled: Compiled) -> None:
    assert [(problem.span.file, problem.span.line, problem.message) for problem in compiled.problems] == []
    assert set(compiled.plans) == {
        "abandoned_cart", "browse_abandonment", "came_back", "make_it_good", "review_request", "welcome", "win_back",
    }  # fmt: skip


def test_every_template_is_sent_by_a_playbook(compiled: Compiled) -> None:
    sent = {
        (step.channel, step.template)
        for plan in compiled.plans.values()
        for step in plan.steps
        if isinstance(step, Send)
    }
    assert sent == set(load_templates(FOLDER / "templates").describe())


def test_an_abandoned_cart_is_followed_up_three_times(compiled: Compiled) -> None:
    plan = compiled.plans["abandoned_cart"]
    assert isinstance(plan.trigger, StartWhen)
    assert plan.holdout == 5
    assert [step.id for step in plan.steps if isinstance(step, Wait)] == [
        "wait:1-day",
        "wait:2-days",
        "wait:until-10:00",
    ]
    assert [step.template for step in plan.steps if isinstance(step, Send)] == [
        "cart_free_shipping", "cart_almost_there", "cart_reminder", "cart_reminder", "cart_last_call", "cart_last_call",
    ]  # fmt: skip


def test_the_two_subject_lines_differ_and_nothing_else(compiled: Compiled) -> None:
    plan = compiled.plans["abandoned_cart"]
    (experiment,) = [step for step in plan.steps if isinstance(step, Experiment)]
    assert [(variant.name, variant.share) for variant in experiment.variants] == [("statement", 50), ("question", 50)]
    assert experiment.measure is not None
    assert (experiment.measure.event, experiment.measure.seconds) == ("order_completed", 7 * 86_400)
    one, two = (plan.step(str(variant.next)) for variant in experiment.variants)
    assert isinstance(one, Send)
    assert isinstance(two, Send)
    assert (one.channel, one.template, one.next) == (two.channel, two.template, two.next)
    assert [name for (name, left), (_, right) in zip(one.arguments, two.arguments, strict=True) if left != right] == [
        "subject_line"
    ]


def test_the_welcome_starts_on_the_sign_up(compiled: Compiled) -> None:
    plan = compiled.plans["welcome"]
    assert plan.trigger == StartOn(event="signed_up")
    assert plan.entry.kind == "once"


def test_nobody_is_written_to_at_night_or_too_often(compiled: Compiled) -> None:
    policy = compiled.policy
    assert policy.quiet_hours == ("21:00", "08:00")
    assert {limit.channel: (limit.count, limit.seconds) for limit in policy.limits} == {
        "email": (3, 7 * 86_400),
        "sms": (1, 7 * 86_400),
    }
