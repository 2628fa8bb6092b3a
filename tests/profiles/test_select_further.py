"""What conditions mean that look further than one value of now, case by case, and what missing values mean to them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Engine, insert

from dsl.conditions import (
    Compare,
    Constant,
    Contains,
    Field,
    HasBeen,
    HasEvent,
    InAudience,
    Includes,
    Known,
    LastEvent,
    Message,
    Not,
    OneOf,
    Recency,
    Top,
    Window,
)
from dsl.plan import Stage
from dsl.types import Type
from profiles.select import holds
from store import schema
from store.clock import DAY, HOUR, SECOND
from store.engine import write
from tests.profiles.shop import RULES, identify, take
from tests.profiles.test_select import AS_OF, MOMENT, NOW, happened, is_, of_event, of_person, put, who

WEEK = 7 * DAY // SECOND
CITY = of_person("city", Type.TEXT)
BORN = of_person("birthday", Type.DATE)
STAGE = of_person("stage", Type.TEXT)


def text(value: str) -> Constant:
    return Constant(type=Type.TEXT, value=value)


def for_a_week(field: Field, value: Any) -> HasBeen:
    return HasBeen(field=field, value=Constant(type=field.type, value=value), seconds=WEEK)


# ── Nothing known ─────────────────────────────────────────────────────────────────────────────────────────────────────
def test_nothing_known_of_anybody(engine: Engine) -> None:
    """None of them holds, and the `not` of each does."""
    put(engine)
    for condition in (
        Top(field=of_person("orders.value", Type.MONEY), percent=99),
        Top(field=of_person("points", Type.NUMBER), percent=99),
        Includes(field=of_person("tags", Type.LIST), value=text("vip")),
        Includes(field=of_person("tags", Type.LIST), value=CITY),
        for_a_week(CITY, "Oslo"),
        for_a_week(of_person("points", Type.NUMBER), 1),
        LastEvent(event="x", condition=Not(condition=Known(field=of_event("total", Type.MONEY)))),
        InAudience(audience="lapsed"),
        Message(kind="received", template="welcome"),
        Message(kind="opened", template="welcome"),
        Message(kind="clicked", template="welcome"),
        Recency(field=BORN, kind="next", seconds=WEEK),
        Recency(field=BORN, kind="last", seconds=1000 * WEEK),
    ):
        assert not who(engine, condition), condition
        assert who(engine, Not(condition=condition)), condition


# ── Highest values ────────────────────────────────────────────────────────────────────────────────────────────────────
def test_the_top_is_rounded_up_and_those_who_equal_the_last_belong_too(engine: Engine) -> None:
    for id, value in enumerate((500, 400, 400, 300, 200, 100, 100, 100, 100, 100, 0), 1):
        put(engine, id, traits={"orders_value": value})
    value = of_person("orders.value", Type.MONEY)
    assert who(engine, Top(field=value, percent=1)) == {1}
    assert who(engine, Top(field=value, percent=10)) == {1}, "a tenth of the ten who bought, not of eleven"
    assert who(engine, Top(field=value, percent=11)) == {1, 2, 3}
    assert who(engine, Top(field=value, percent=50)) == {1, 2, 3, 4, 5}
    assert who(engine, Top(field=value, percent=51)) == {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}


def test_the_top_of_a_field_of_the_shops_own_counts_zero_and_less(engine: Engine) -> None:
    for id, points in enumerate((-5, 0, 2.5, "10", None), 1):
        put(engine, id, custom={"points": points})
    assert who(engine, Top(field=of_person("points", Type.NUMBER), percent=34)) == {2, 3}
    assert who(engine, Top(field=of_person("points", Type.NUMBER), percent=99)) == {1, 2, 3}


def test_people_who_were_merged_take_no_place_at_the_top(engine: Engine) -> None:
    put(engine, 1, traits={"orders_value": 100})
    put(engine, 2, traits={"orders_value": 200}, merged_into=1)
    assert who(engine, Top(field=of_person("orders.value", Type.MONEY), percent=10)) == {1}


# ── Lists ─────────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_a_list_includes_texts_in_the_same_spelling(engine: Engine) -> None:
    lists: list[Any] = [
        ["vip", "new"],
        ["VIP"],
        ["vips"],
        "vip",
        {"vip": "vip"},
        [["vip"]],
        [],
        None,
        [12],
        ["12"],
        [12.5],
    ]
    for id, tags in enumerate(lists):
        put(engine, id, custom={"tags": tags}, city="12")
    tags = of_person("tags", Type.LIST)
    assert who(engine, Includes(field=tags, value=text("vip"))) == {0}
    assert who(engine, Includes(field=tags, value=text("12"))) == {8, 9}, "shops send numbers either way"
    assert who(engine, Includes(field=tags, value=CITY)) == {8, 9}


def test_a_list_in_an_event(engine: Engine) -> None:
    put(engine)
    happened(engine, "quiz_done", NOW, likes=["lamps", "rugs"])
    for wanted, expected in (("rugs", {1}), ("rug", set())):
        where = Includes(field=of_event("likes", Type.LIST), value=text(wanted))
        assert who(engine, HasEvent(event="quiz_done", least=1, most=None, where=where)) == expected


# ── Since when ────────────────────────────────────────────────────────────────────────────────────────────────────────
def told(engine: Engine, id: int, *said: tuple[int, dict[str, Any]]) -> None:
    """Identify calls as the store keeps them."""
    for n, (at, traits) in enumerate(said):
        row = {"event_id": f"{id}.{n}", "body_hash": "", "profile_id": id, "name": "identify", "at": at,
               "received_at": at, "properties": {"traits": traits, "columns": traits}}  # fmt: skip
        with write(engine) as conn:
            conn.execute(insert(schema.events), row)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ([(-7, "Oslo")], True),
        ([(-6, "Oslo")], False),
        ([(-9, "Oslo"), (-2, "Oslo")], True),
        ([(-9, "Oslo"), (-8, "Rome"), (-2, "Oslo")], False),
        ([(-9, "Rome"), (-8, "Oslo")], True),
        ([(-9, "Oslo"), (-3, None), (-2, "Oslo")], False),
        ([(-9, "Oslo"), (-9, "Rome")], True),
        ([(-9, "Oslo"), (-3, "Rome"), (-3, "Oslo")], True),
        ([(-9, "Oslo"), (1, "Rome")], True),
        ([(1, "Oslo")], False),
        ([], False),
    ],
)
def test_a_field_has_been_something_since_the_first_of_equal_words(
    engine: Engine, said: list[tuple[int, str | None]], expected: bool
) -> None:
    """Days and words. Other words end it, unless this one was said at the same instant."""
    put(engine, 1, city="Oslo", custom={"plan": "Oslo"})
    told(engine, 1, *((NOW + day * DAY, {"city": city, "plan": city, "other": 1}) for day, city in said))
    assert bool(who(engine, for_a_week(CITY, "Oslo"))) is expected
    assert bool(who(engine, for_a_week(of_person("plan", Type.TEXT), "Oslo"))) is expected


def test_calls_that_say_nothing_of_the_field_change_nothing(engine: Engine) -> None:
    put(engine, 1, city="Oslo")
    told(engine, 1, (NOW - 9 * DAY, {"city": "Oslo"}), (NOW - DAY, {"plan": "trial"}))
    assert who(engine, for_a_week(CITY, "Oslo"))


def test_what_no_identify_call_said_has_not_been_so_for_any_time(engine: Engine) -> None:
    """Traits in the context of other calls leave no word of themselves."""
    put(engine, 1, city="Oslo")
    assert not who(engine, for_a_week(CITY, "Oslo"))


def test_a_field_that_is_something_else_now_has_not_been_it(engine: Engine) -> None:
    put(engine, 1, city="Rome")
    told(engine, 1, (NOW - 9 * DAY, {"city": "Oslo"}))
    assert not who(engine, for_a_week(CITY, "Oslo"))
    assert not who(engine, for_a_week(CITY, "Rome"))


def test_history_reads_what_calls_mean_and_not_how_they_are_written(engine: Engine) -> None:
    traits = {"timezone": "Europe/Oslo", "address": {"city": "Oslo", "country": "no"}, "locale": "nb-NO",
              "firstName": "Ann ", "phone": "(212) 555-0100", "loyalty": {"tier": "gold"}}  # fmt: skip
    take(engine, identify(0, **traits), rules=RULES)
    wanted = {"time_zone": "Europe/Oslo", "city": "Oslo", "country": "NO", "language": "nb", "first_name": "Ann",
              "phone": "+12125550100", "loyalty.tier": "gold"}  # fmt: skip
    for name, value in wanted.items():
        assert who(engine, for_a_week(of_person(name, Type.TEXT), value)), name


def test_what_two_people_said_is_one_history_once_they_are_one(engine: Engine) -> None:
    take(engine, identify(0, {"anonymousId": "a"}, city="Oslo", plan="trial"), identify(1, "ann", city="Rome"))
    take(engine, identify(2, {"userId": "ann", "anonymousId": "a"}, city="Oslo"))
    assert who(engine, for_a_week(CITY, "Oslo")), "since hour 2"
    assert who(engine, for_a_week(of_person("plan", Type.TEXT), "trial"))


def test_a_call_gives_an_object_as_a_whole(engine: Engine) -> None:
    put(engine, 1, custom={"loyalty": {"tier": "gold"}})
    gold = {"loyalty": {"tier": "gold"}}
    told(engine, 1, (NOW - 9 * DAY, gold), (NOW - 3 * DAY, {"loyalty": {"points": 3}}), (NOW - 2 * DAY, gold))
    assert not who(engine, for_a_week(of_person("loyalty.tier", Type.TEXT), "gold"))


def test_rows_of_versions_before_have_the_traits_alone(engine: Engine) -> None:
    put(engine, 1, city="Oslo")
    happened(engine, "identify", NOW - 9 * DAY, traits={"city": "Oslo"})
    assert who(engine, for_a_week(CITY, "Oslo"))


# ── The last event ────────────────────────────────────────────────────────────────────────────────────────────────────
def test_the_last_event_is_chosen_first_and_tested_then(engine: Engine) -> None:
    put(engine)
    for hours, total in ((3, 90), (2, 80), (1, 10)):
        happened(engine, "order_completed", NOW - hours * HOUR, total=total, gift=total == 80)
    happened(engine, "order_completed", NOW + 1, total=99)
    total, gift = of_event("total", Type.MONEY), of_event("gift", Type.YES_NO)
    large = Compare(field=total, operator=">", value=Constant(type=Type.MONEY, value=5000))
    small = Not(condition=large)
    assert not who(engine, LastEvent(event="order_completed", condition=large))
    assert who(engine, LastEvent(event="order_completed", condition=small))
    assert who(engine, LastEvent(event="order_completed", condition=large, where=is_(gift, True)))
    assert who(engine, LastEvent(event="order_completed", condition=is_(gift, True), where=large))


def test_of_two_last_events_at_once_the_larger_id_counts(engine: Engine) -> None:
    put(engine)
    for key, coupon in (("b", "B"), ("é", "É"), ("B", "b")):
        row = {"event_id": key, "body_hash": "", "profile_id": 1, "name": "x", "at": NOW, "received_at": NOW,
               "properties": {"coupon": coupon}}  # fmt: skip
        with write(engine) as conn:
            conn.execute(insert(schema.events), row)
    assert who(engine, LastEvent(event="x", condition=is_(of_event("coupon", Type.TEXT), "É")))


# ── Audiences and messages ────────────────────────────────────────────────────────────────────────────────────────────
def test_a_member_is_one_whose_row_says_so(engine: Engine) -> None:
    for id, rows in enumerate(({}, {"lapsed": True}, {"lapsed": False}, {"vips": True})):
        put(engine, id)
        for audience, member in rows.items():
            with write(engine) as conn:
                row = {"audience": audience, "profile_id": id, "member": member, "changed_at": 0}
                conn.execute(insert(schema.memberships), row)
    assert who(engine, InAudience(audience="lapsed")) == {1}
    assert who(engine, Not(condition=InAudience(audience="lapsed"))) == {0, 2, 3}


def queued(engine: Engine, id: int, state: str, settled_at: int | None, channel: str = "email") -> None:
    put(engine, id)
    row = {"playbook": "p", "enrollment_id": id, "step": "s", "occurrence": 1, "profile_id": id, "digest": "d",
           "channel": channel, "template": "welcome", "state": state, "planned_at": 0, "due_at": 0, "expires_at": 0,
           "settled_at": settled_at}  # fmt: skip
    with write(engine) as conn:
        conn.execute(insert(schema.outbox), row)


def test_received_is_what_went_out(engine: Engine) -> None:
    states = ("planned", "claimed", "sending", "accepted", "failed", "unknown", "assumed_sent", "skipped", "cancelled")
    for id, state in enumerate(states):
        queued(engine, id, state, NOW - DAY)
    queued(engine, 20, "accepted", NOW - 8 * DAY)
    queued(engine, 21, "accepted", NOW + 1)
    queued(engine, 22, "accepted", NOW - DAY, channel="crm")
    assert who(engine, Message(kind="received", template="welcome")) == {3, 6, 20}
    last_week = Window(kind="last", seconds=WEEK)
    assert who(engine, Message(kind="received", template="welcome", window=last_week)) == {3, 6}
    assert not who(engine, Message(kind="received", template="goodbye"))


def test_opened_and_clicked_are_told_by_events(engine: Engine) -> None:
    names = ("email_opened", "email_link_clicked", "push_notification_tapped", "email_delivered")
    for id, name in enumerate(names):
        put(engine, id)
        happened(engine, name, NOW - DAY, id, template="welcome")
    put(engine, 9)
    happened(engine, "email_opened", NOW - DAY, 9, template="goodbye")
    assert who(engine, Message(kind="opened", template="welcome")) == {0, 2}
    assert who(engine, Message(kind="clicked", template="welcome")) == {1, 2}
    long_ago = Window(kind="before", seconds=WEEK)
    assert not who(engine, Message(kind="clicked", template="welcome", window=long_ago))


# ── Birthdays ─────────────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("now", "kind", "days", "expected"),
    [
        # A birthday begins at midnight in Oslo: 23:00 the day before in winter, 22:00 in summer, from 29 March on.
        (datetime(2026, 3, 30, 9, tzinfo=UTC), "next", 1, {"03-31"}),
        (datetime(2026, 3, 30, 9, tzinfo=UTC), "last", 1, {"03-30"}),
        (datetime(2026, 3, 29, 22, tzinfo=UTC), "next", 1, {"03-30"}),
        (datetime(2026, 3, 29, 22, tzinfo=UTC), "last", 1, {"03-29", "03-30"}),
        (datetime(2026, 12, 31, 9, tzinfo=UTC), "next", 2, {"01-01", "01-02"}),
        (datetime(2027, 1, 1, 9, tzinfo=UTC), "last", 2, {"01-01", "12-31"}),
        (datetime(2027, 2, 27, 9, tzinfo=UTC), "next", 1, {"02-28", "02-29"}),
        (datetime(2027, 2, 28, 9, tzinfo=UTC), "next", 1, {"03-01"}),
        (datetime(2028, 2, 27, 9, tzinfo=UTC), "next", 1, {"02-28"}),
        (datetime(2028, 2, 28, 9, tzinfo=UTC), "next", 1, {"02-29"}),
        (datetime(2028, 2, 29, 9, tzinfo=UTC), "next", 1, {"03-01"}),
        (datetime(2028, 2, 29, 9, tzinfo=UTC), "last", 2, {"02-28", "02-29"}),
    ],
)
def test_birthdays_return_each_year(engine: Engine, now: datetime, kind: Any, days: int, expected: set[str]) -> None:
    born = ("02-27", "02-28", "02-29", "03-01", "03-02", "03-29", "03-30", "03-31", "12-30", "12-31", "01-01", "01-02")
    for id, day in enumerate(born):
        put(engine, id, birthday=f"1992-{day}")
    asked = Recency(field=BORN, kind=kind, seconds=days * DAY // SECOND)
    assert {born[id] for id in who(engine, asked, replace(MOMENT, as_of=now))} == expected


def test_within_a_year_everybody_with_a_birthday_has_one(engine: Engine) -> None:
    put(engine, 1, birthday="1992-02-29")
    put(engine, 2, birthday=f"1990-{AS_OF:%m-%d}")
    put(engine, 3)
    for seconds in (366 * DAY // SECOND, 10**15):
        assert who(engine, Recency(field=BORN, kind="next", seconds=seconds)) == {1, 2}
        assert who(engine, Recency(field=BORN, kind="last", seconds=seconds)) == {1, 2}
    assert not who(engine, Recency(field=BORN, kind="next", seconds=60)), "no day begins within this minute"


def test_a_day_of_the_shops_own_does_not_return(engine: Engine) -> None:
    put(engine, 1, custom={"wedding": "2001-03-31"})
    assert not who(engine, Recency(field=of_person("wedding", Type.DATE), kind="next", seconds=WEEK))


# ── Stages ────────────────────────────────────────────────────────────────────────────────────────────────────────────
def bought(least: int) -> Compare:
    least_value = Constant(type=Type.NUMBER, value=least)
    return Compare(field=of_person("orders.count", Type.NUMBER), operator=">=", value=least_value)


LIFECYCLE = (
    Stage(name="hero", condition=bought(5)),
    Stage(name="active", condition=bought(1)),
    Stage(name="prospect", condition=None),
)
STAGED = replace(MOMENT, lifecycle=LIFECYCLE)


def test_everybody_is_in_the_first_stage_that_holds(engine: Engine) -> None:
    for id, count in enumerate((0, 1, 5)):
        put(engine, id, traits={"orders_count": count})
    put(engine, 3)
    assert who(engine, is_(STAGE, "hero"), STAGED) == {2}
    assert who(engine, is_(STAGE, "active"), STAGED) == {1}
    assert who(engine, is_(STAGE, "prospect"), STAGED) == {0, 3}
    assert who(engine, Compare(field=STAGE, operator="is not", value=text("active")), STAGED) == {0, 2, 3}
    assert who(engine, OneOf(field=STAGE, values=(text("hero"), text("active"))), STAGED) == {1, 2}
    assert who(engine, Contains(field=STAGE, kind="starts_with", text="PRO"), STAGED) == {0, 3}
    assert who(engine, Known(field=STAGE), STAGED) == {0, 1, 2, 3}
    assert not who(engine, Compare(field=CITY, operator="is", value=STAGE), STAGED)


def test_a_stage_may_ask_anything_but_the_enrollment_and_the_stage(engine: Engine) -> None:
    put(engine, 1)
    happened(engine, "order_completed", NOW)
    asked = (
        Stage(name="new", condition=HasEvent(event="order_completed", least=1, most=None)),
        Stage(name="old", condition=None),
    )
    assert who(engine, is_(STAGE, "new"), replace(MOMENT, lifecycle=asked))
    for condition, message in (
        (is_(STAGE, "new"), "a stage cannot ask for the stage"),
        (HasEvent(event="x", least=1, most=None, window=Window(kind="entry")), "`since entry` needs an enrollment"),
    ):
        circle = (Stage(name="new", condition=condition), *asked[1:])
        moment = replace(MOMENT, lifecycle=circle, entered_at=schema.enrollments.c.entered_at)
        with pytest.raises(ValueError, match=message):
            holds(is_(STAGE, "new"), moment)


def test_one_stage_for_all(engine: Engine) -> None:
    put(engine, 1)
    alone = replace(MOMENT, lifecycle=LIFECYCLE[-1:])
    assert who(engine, is_(STAGE, "prospect"), alone)
    assert who(engine, Known(field=STAGE), alone)
    assert not who(engine, is_(STAGE, "hero"), alone)


def test_without_a_lifecycle_the_stage_is_a_field_of_the_shops_own(engine: Engine) -> None:
    put(engine, 1, custom={"stage": "trial"})
    put(engine, 2)
    assert who(engine, is_(STAGE, "trial")) == {1}


def test_a_stage_has_been_so_since_a_look_found_it(engine: Engine) -> None:
    rows = ((5, "hero", -8), (5, "hero", -6), (5, "active", -8), (1, "hero", -8), (5, None, 0))
    for id, (count, stage, days) in enumerate(rows):
        put(engine, id, traits={"orders_count": count})
        if stage is not None:
            with write(engine) as conn:
                conn.execute(insert(schema.stages), {"profile_id": id, "stage": stage, "since": NOW + days * DAY})
    assert who(engine, for_a_week(STAGE, "hero"), STAGED) == {0}
