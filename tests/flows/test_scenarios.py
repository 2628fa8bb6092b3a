"""Scenarios on the production code: what can be given, happen and be expected, and how failures are told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.flows.stories import NOW, stories, told

CART = """
let minimum = $50
field tier is text
field tags is list
field trial_ends is timestamp

policy:
  quiet hours 21:00 to 08:00
  limit email to 3 per 7 days

playbook cart:
  run every 15 minutes
  start when cart.updated_at is more than 24 hours ago
    and cart.updated_at is in the last 7 days
    and cart.total > $0
  only if can receive email or can receive sms
  enter again after 14 days
  leave on order_completed
  leave when cart.count is 0
  goal order_completed within 7 days
  holdout 90%

  if cart.total >= minimum:
    send email hello
  otherwise if tier is "gold":
    send email offer
  otherwise:
    send sms text
  wait 1 day
  experiment words:
    measure order_completed within 7 days
    variant plain 40%:
      send email reminder
    variant late 40%:
      wait 2 days
      send email bye
    holdout 20%
  if can receive push:
    send push nudge
"""
SIGN_UP = """
playbook welcome:
  run every 15 minutes
  start on signed_up where source is not "import"
  only if orders.count is 0
  enter once
  leave on order_completed
  goal order_completed within 14 days

  send email hello
  wait 2 days
  if has product_viewed since entry:
    send email offer
  otherwise:
    send email bye
"""


def scenario(name: str, playbook: str, *lines: str) -> str:
    return f'\nscenario "{name}" for {playbook}:\n' + "".join(f"  {line}\n" for line in lines)


def passes(folder: Path, playbooks: str, name: str, *lines: str) -> None:
    """These lines are all met."""
    (result,) = stories(folder, playbooks + scenario("it", name, *lines)).values()
    assert told(result) == []
    assert result.runs > 0


def fails(folder: Path, playbooks: str, name: str, *lines: str) -> str:
    """The last line, and only that, is not met. Returns what is told."""
    (result,) = stories(folder, playbooks + scenario("it", name, *lines)).values()
    (problem,) = result.problems
    assert problem.text == lines[-1].strip()
    assert problem.span.line == playbooks.count("\n") + 2 + len(lines)
    assert result.timeline or "never entered" in problem.told
    return problem.told


OLD = "given product_added 25 hours ago"
MET = {
    "enter": ("expect enter 1 times",),
    "send": ("given cart.total = $80", "expect send email hello 1 times after 15 minutes", "expect no send sms text"),
    "sent at night": (
        "given clock 2026-03-03 22:00",
        "given cart.total = $80",
        "expect no send email hello before 9 hours",
        "expect send email hello after 10 hours",
    ),
    "branch": (
        "given cart.total = $20",
        'given tier = "gold"',
        "expect send email offer",
        "expect no send email hello",
    ),
    "otherwise": ("given cart.total = $20", "expect send sms text"),
    "no consent": ("given email_consent = no", "given cart.total = $80", "expect enter", "expect no send email hello"),
    "nobody": ("given email_consent = no", "given sms_consent = no", "expect no enter"),
    "first variant": ("expect send email reminder after 1 day", "expect no send email bye"),
    "arm": (
        "given experiment words picks late",
        "expect wait 2 days after 1 day",
        "expect send email bye after 3 days",
        "expect no send email reminder",
    ),
    "holdout": (
        "given experiment words picks holdout_group",
        "expect no send email reminder",
        "expect no send email bye",
        "expect send push nudge",
    ),
    "order": (
        "after 12 hours order_completed",
        "expect goal 1 times after 12 hours",
        "expect leave after 12 hours",
        "expect no send email reminder",
    ),
    "emptied": ("after 3 hours product_removed", "expect leave", "expect no goal"),
    "consent taken back": ("after 3 hours set email_consent = no", "expect no send email reminder", "expect enter"),
    "later tier": ("given cart.total = $20", 'after 1 hour set tier = "gold"', "expect no send email offer"),
    "two products": (
        "given product_added 26 hours ago:",
        "  price = $30",
        "given cart.total = $50",
        "expect send email hello",
    ),
}


@pytest.mark.parametrize("name", MET)
def test_a_cart(name: str, tmp_path: Path) -> None:
    passes(tmp_path, CART, "cart", OLD, *MET[name])


NOT_MET = {
    "enter": (("expect enter 2 times",), "It happened once: at the start (Tue 17 Nov 12:00)."),
    "no enter": (("expect no enter",), "It happened at the start (Tue 17 Nov 12:00)."),
    "no enter before": (("expect no enter before 1 hour",), "It happened at the start (Tue 17 Nov 12:00)."),
    "send at another time": (
        ("given cart.total = $80", "expect send email hello after 1 day"),
        "It was sent at entry (Tue 17 Nov 12:00) instead.",
    ),
    "send in another branch": (
        ("given cart.total = $20", "expect send email hello"),
        "The person went another way at entry (Tue 17 Nov 12:00): `otherwise` and not "
        "`if cart.total >= $50`: cart.total was $20, tier was unknown.",
    ),
    "send without consent": (
        ("given email_consent = no", "given cart.total = $80", "expect send email hello"),
        "It was to be sent at entry (Tue 17 Nov 12:00), and was not: no consent.",
    ),
    "send after leaving": (
        ("after 12 hours order_completed", "expect send email reminder"),
        "The person left on order_completed 12 hours after entry (Wed 18 Nov 00:00), before it came to that.",
    ),
    "another arm": (
        ("expect send email bye",),
        "The person was in another arm, `words: plain`. A scenario chooses it with `given experiment … picks late`.",
    ),
    "no send": (
        ("given cart.total = $80", "expect no send email hello"),
        "It was sent at the start (Tue 17 Nov 12:00).",
    ),
    "wait": (("expect wait 2 days",), "The person was in another arm, `words: plain`. A scenario chooses it with "
             "`given experiment … picks late`."),
    "no wait": (("expect no wait 1 day",), "It began at the start (Tue 17 Nov 12:00)."),
    "goal": (("expect goal",), "No `order_completed` that counts came within 7 days of entry."),
    "no goal": (
        ("after 12 hours order_completed", "expect no goal"),
        "It was reached 12 hours after the start (Wed 18 Nov 00:00).",
    ),
    "leave": (
        ("expect leave",),
        "The person did not leave early: the journey came to its end 1 day after entry (Wed 18 Nov 12:00).",
    ),
    "no leave": (
        ("after 12 hours order_completed", "expect no leave"),
        "It happened 12 hours after the start (Wed 18 Nov 00:00).",
    ),
    "never entered": (
        ("after 5 minutes order_completed", "expect enter"),
        "The person never entered `cart`: `cart.updated_at is more than 1 day ago` of `start when` did not hold "
        "(cart.updated_at was 16 Nov 2026 13:00).",
    ),
    "only if": (
        ("given email_consent = no", "given sms_consent = no", "expect enter"),
        "The person never entered `cart`: `can receive email or can receive sms` of `only if` did not hold.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", NOT_MET)
def test_what_is_not_met_is_told(name: str, tmp_path: Path) -> None:
    lines, sentence = NOT_MET[name]
    start = OLD if name != "never entered" else "given product_added 23 hours ago"
    assert fails(tmp_path, CART, "cart", start, *lines) == sentence


GIVEN = {
    "cart.total": ("cart.total is $40 and cart.count is 1", "given cart.total = $40"),
    "cart.count": ("cart.count is 3 and cart.total is $100", "given cart.count = 3", "given cart.total = $100"),
    "cart by event": ("cart.total is $60", "given product_added 1 hour ago:", "  price = $30", "  quantity = 2"),
    "orders.count": ("orders.count is 3 and orders.value is $150", "given orders.count = 3"),
    "orders.value": (
        "orders.value is $1,000 and orders.last_total is $100 "
        "and has order_completed at least 4 times in the last 365 days",
        "given orders.count = 4", "given orders.value = $1,000", "given orders.last_total = $100",
    ),
    "orders in time": (
        "orders.last_at is more than 90 days ago and orders.count is 2",
        "given orders.count = 2", "given order_completed 100 days ago",
    ),
    "refunds": ("orders.count is 1 and orders.value is $0", "given order_completed 9 days ago",
    "given order_refunded 1 day ago"),
    "checkout.step": ("checkout.step is 3", "given checkout.step = 3"),
    "browsing": ('browsing.last_category is "Lamps"', 'given browsing.last_category = "Lamps"'),
    "product": (
        'browsing.last_product.price >= $150 and browsing.last_product.name is "Sofa"',
        "given browsing.last_product.price = $150", 'given browsing.last_product.name = "Sofa"',
    ),
    "city": ('city is "Oslo" and first_name is "Ada"', 'given city = "Oslo"', 'given first_name = "Ada"'),
    "own": ('loyalty.tier is "gold" and loyalty.points > 3', 'given loyalty.tier = "gold"', "given loyalty.points = 4"),
    "list": ('tags includes "vip" and tags includes "new"', 'given tags = "vip"', 'given tags = "new"'),
    "money": ("budget is $19.90", "given budget = $19.90"),
    "yes": ("insured is yes", "given insured = yes"),
    "birthday": ("birthday is in the next 7 days", "given clock 2026-03-03 12:00", "given birthday = 1990-03-08"),
    "created_at": ("created_at is more than 300 days ago", "given clock 2026-12-03 12:00",
    "given created_at = 2026-01-01"),
    "timestamp": ("ends_at is in the next 3 days", "given clock 2026-03-03 12:00", "given ends_at = 2026-03-05"),
    "event": ('has quiz where score >= 4 and has quiz where prize is $5', "given quiz 2 hours ago:",
    "  score = 4", "  prize = $5"),
    "stage": ("stage is hero", "given stage = hero"),
}  # fmt: skip
OWN = """
field loyalty.tier is text
field loyalty.points is number
field tags is list
field budget is money
field insured is yes_no
field ends_at is timestamp
event quiz:
  score is number
  prize is money
lifecycle:
  hero when orders.count > 99
  prospect otherwise
"""


@pytest.mark.parametrize("name", [name for name in GIVEN if name != "stage"])
def test_given(name: str, tmp_path: Path) -> None:
    condition, *lines = GIVEN[name]
    text = f"{OWN}\nplaybook p:\n  start when {condition}\n  enter once\n  send email hello\n"
    passes(tmp_path, text, "p", *lines, "expect send email hello 1 times")


@pytest.mark.parametrize("name", [name for name in GIVEN if name not in ("stage", "created_at")])
def test_without_it_nobody_enters(name: str, tmp_path: Path) -> None:
    condition, *_ = GIVEN[name]
    text = f"{OWN}\nplaybook p:\n  start when {condition}\n  enter once\n  send email hello\n"
    assert fails(tmp_path, text, "p", "given clock 2026-06-03 12:00", "expect enter").startswith("The person never")


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        (("given orders.count = 1", "given order_completed 2 days ago", "given order_completed 1 day ago"),
         "`orders.count` is given as 1, and 2 `order_completed` are given."),
        (("given cart.total = $20", "given product_added 2 days ago:", "  price = $30"),
         "The products that are given do not add up to `cart.total`."),
        (("given orders.value = $20", "given order_completed 2 days ago:", "  total = $30"),
         "The orders that are given do not add up to `orders.value`."),
        (('given email = "nobody"',), None),
    ],
)  # fmt: skip
def test_what_contradicts_itself_is_told(lines: tuple[str, ...], sentence: str | None, tmp_path: Path) -> None:
    (result,) = stories(tmp_path, SIGN_UP + scenario("it", "welcome", *lines, "expect enter")).values()
    (problem,) = result.problems
    assert problem.told == sentence if sentence else "is not an address" in problem.told


def test_events_start_a_journey_when_they_happen(tmp_path: Path) -> None:
    passes(
        tmp_path, SIGN_UP, "welcome", "given signed_up 3 days ago", "expect enter 1 times",
        "expect send email bye after 2 days", "expect no goal",
    )  # fmt: skip


def test_what_happens_later_decides(tmp_path: Path) -> None:
    passes(
        tmp_path, SIGN_UP, "welcome", "given signed_up 5 minutes ago", "after 1 day product_viewed",
        "expect send email offer after 2 days", "expect no send email bye",
    )  # fmt: skip


def test_a_starting_event_that_does_not_count_is_told(tmp_path: Path) -> None:
    lines = ("given signed_up 5 minutes ago:", '  source = "import"', "expect enter")
    said = fails(tmp_path, SIGN_UP, "welcome", *lines)
    assert said == 'The person never entered `welcome`: the `signed_up` does not meet `where source is not "import"`.'
    said = fails(tmp_path, SIGN_UP, "welcome", "expect enter")
    assert said == "The person never entered `welcome`: no `signed_up` happened."
    said = fails(tmp_path, SIGN_UP, "welcome", "given orders.count = 2", "given signed_up 1 hour ago", "expect enter")
    assert said == (
        "The person never entered `welcome`: `orders.count is 0` of `only if` did not hold (orders.count was 2)."
    )


def test_what_cannot_happen_to_somebody_who_never_entered_is_noted(tmp_path: Path) -> None:
    silent = ("given orders.count = 2", "given signed_up 1 hour ago", "expect no send email offer")
    for lines, idle in ((silent, True), ((*silent, "expect no enter"), False), (silent[1:], False)):
        (result,) = stories(tmp_path, SIGN_UP + scenario("it", "welcome", *lines)).values()
        assert (result.ok, result.idle) == (True, idle)


def test_a_branch_behind_a_set_tells_what_was_set(tmp_path: Path) -> None:
    text = """
field tier is text
playbook p:
  start on signed_up
  enter once
  if tier is "gold":
    send email hello
  set tier = "gold"
  if tier is "gold":
    send email bye
"""
    story = scenario("it", "p", 'given tier = "tin"', "given signed_up 1 minute ago", "expect send email bye")
    (result,) = stories(tmp_path, text + story, timeline=True).values()
    told = [line.text for line in result.timeline]
    assert 'none of its ways  (tier was "tin")' in told
    assert 'if tier is "gold"  (tier was "gold")' in told


def test_opened_and_clicked(tmp_path: Path) -> None:
    text = """
playbook p:
  run every 1 hour
  start on signed_up
  enter once
  send email hello
  wait 2 days
  if opened hello since entry:
    send email offer
  if clicked nudge since entry:
    send sms text
"""
    lines = ("given signed_up 5 minutes ago", "after 1 day opened hello", "after 30 hours clicked nudge")
    passes(tmp_path, text, "p", *lines, "expect send email offer after 2 days", "expect send sms text")
    passes(tmp_path, text, "p", *lines[:2], "expect send email offer", "expect no send sms text")


def test_the_persons_own_zone_counts(tmp_path: Path) -> None:
    text = "\nplaybook p:\n  start on signed_up\n  enter once\n  wait until 10:00\n  send email hello\n"
    for zone, hours in (("Asia/Tokyo", 22), ("America/New_York", 22), ("UTC", 22)):
        passes(
            tmp_path, text, "p", "given clock 2026-03-03 12:00", f'given time_zone = "{zone}"',
            "given signed_up 1 minute ago", f"expect send email hello after {hours} hours",
        )  # fmt: skip


BOOKING = """
field follow_up_at is timestamp
event booked:
  starts_at is timestamp
  ends_on is date
playbook p:
  run every 15 minutes
  start on booked
  enter once
  wait until 1 hour before event.starts_at
  send email hello
  wait until event.ends_on
  send email reminder
  if follow_up_at is known:
    wait until follow_up_at
    send email bye
"""


def test_days_and_points_in_time_are_given_where_the_person_lives(tmp_path: Path) -> None:
    block = ("given booked 1 minute ago:\n    starts_at = 2026-05-08 15:00\n    ends_on = 2026-05-10",)
    for zone in ("Asia/Tokyo", "America/Los_Angeles"):
        where = ("given clock 2026-05-08 09:00", f'given time_zone = "{zone}"', *block)
        passes(
            tmp_path, BOOKING, "p", *where, "given follow_up_at = 2026-05-12 18:00",
            "expect send email hello after 5 hours", "expect send email reminder after 39 hours",
            "expect send email bye after 105 hours",
        )  # fmt: skip
        passes(
            tmp_path, BOOKING, "p", *where, "after 1 day set follow_up_at = 2026-05-12 18:00",
            "expect send email bye after 105 hours",
        )  # fmt: skip


def test_a_template_that_cannot_be_filled_fails_the_scenario(tmp_path: Path) -> None:
    text = "\nplaybook p:\n  start on signed_up\n  enter once\n  send email named:\n    items = cart.items\n"
    result, filled = stories(
        tmp_path,
        text + scenario("not filled", "p", "given signed_up 1 minute ago", "expect enter")
        + scenario("filled", "p", "given product_added 1 hour ago", "given signed_up 1 minute ago",
        "expect send email named"),
    ).values()  # fmt: skip
    (problem,) = result.problems
    assert problem.told.startswith("`send email named` could not be made: templates/email/named.html")
    assert told(filled) == []


def test_caps_hold(tmp_path: Path) -> None:
    text = """
policy:
  limit email to 1 per 7 days

playbook p:
  start on signed_up
  enter once
  send email hello
  wait 1 day
  send email bye
"""
    said = fails(tmp_path, text, "p", "given signed_up 1 minute ago", "expect send email bye")
    assert said.endswith("and was not: had enough messages lately.")


def test_a_daily_schedule_is_kept_and_is_the_tolerance(tmp_path: Path) -> None:
    text = """
playbook p:
  run every day at 09:00
  start when orders.last_at is more than 90 days ago
  enter once
  send email hello
"""
    given = ("given clock 2026-03-03 12:00", "given order_completed 80 days ago")
    passes(tmp_path, text, "p", *given, "expect enter after 10 days", "expect no enter before 10 days")
    (result,) = stories(tmp_path, text + scenario("it", "p", *given, "expect enter"), timeline=True).values()
    assert (result.timeline[0].local.hour, result.timeline[0].text) == (9, "entered")
    assert result.timeline[0].at == datetime(2026, 3, 14, 9, tzinfo=UTC)
    assert result.runs <= 4  # and not one of each day


@pytest.mark.parametrize("schedule", ["monday at 09:00", "5 days"])
def test_an_event_starts_a_playbook_that_runs_rarely(schedule: str, tmp_path: Path) -> None:
    text = f"""
playbook p:
  run every {schedule}
  start on signed_up
  enter every time
  send email hello
"""
    clock = "given clock 2026-05-05 12:00"  # a Tuesday
    passes(tmp_path, text, "p", clock, "given signed_up 1 minute ago", "expect send email hello 1 times")
    later = ("given signed_up 50 hours ago", "after 8 days signed_up", "after 20 days signed_up")
    passes(tmp_path, text, "p", clock, *later, "expect enter 3 times")


def test_it_does_not_matter_when_it_is_played(tmp_path: Path) -> None:
    text = CART + scenario("it", "cart", OLD, "given cart.total = $80", "expect send email hello after 15 minutes")
    for hours in (0, 7, 19, 24 * 3, 24 * 200):
        (result,) = stories(tmp_path, text, now=NOW + timedelta(hours=hours)).values()
        assert told(result) == []


def test_nothing_is_left_in_the_project(tmp_path: Path) -> None:
    stories(tmp_path, CART + scenario("it", "cart", OLD, "expect send email hello"))
    assert not (tmp_path / "winback.db").exists()
    assert not (tmp_path / "outbox").exists()
    assert not (tmp_path / ".winback").exists()


def test_one_scenario_knows_nothing_of_another(tmp_path: Path) -> None:
    one = scenario("one", "cart", OLD, "expect enter 1 times", "expect send email reminder 1 times")
    results = stories(tmp_path, CART + one + one.replace('"one"', '"two"') + one.replace('"one"', '"three"'))
    assert [told(result) for result in results.values()] == [[], [], []]
