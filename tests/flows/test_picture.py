import pytest

from dsl.plan import Experiment, Plan, Stop, Variant, Wait
from flows.picture import picture, span, title


def test_steps_are_named_as_written_and_joined_as_in_the_plan(plan: Plan) -> None:
    assert [(step.name, step.after) for step in picture(plan)] == [
        ("if cart.total >= €50", ()),
        ("send email cart_free_shipping", ("if",)),
        ("send email cart_almost_there", ("if",)),
        ("wait 1 day", ("if/1/send:cart_free_shipping", "if/otherwise/send:cart_almost_there")),
        ("send email cart_reminder", ("wait:1-day",)),
        ("wait 2 days until 10:00", ("send:cart_reminder",)),
        ("if can receive sms", ("wait:2-days-until-10:00",)),
        ("send sms cart_last_call", ("if.2",)),
        ("send email cart_last_call", ("if.2",)),
    ]


@pytest.mark.parametrize(
    ("step", "name"),
    [
        (Wait(id="w", next=None, seconds=5400), "wait 90 minutes"),
        (Wait(id="w", next=None, time="10:00"), "wait until 10:00"),
        (Wait(id="w", next=None, weekday="thursday", time="10:00"), "wait until thursday 10:00"),
        (Stop(id="stop"), "stop"),
        (
            Experiment(id="e", name="subject_line", variants=(Variant(name="short", share=100.0, next=None),)),
            "experiment subject_line",
        ),
    ],
)
def test_titles(step: Wait | Stop | Experiment, name: str) -> None:
    assert title(step) == name


@pytest.mark.parametrize(("seconds", "words"), [(1, "1 second"), (3600, "1 hour"), (172_800, "2 days"), (60, "1 minute")])
def test_spans(seconds: int, words: str) -> None:
    assert span(seconds) == words
