"""What can be typed at a place: all that is allowed there, and nothing else."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from dsl.compile import compile_sources
from dsl.grammar import lex, words
from dsl.lsp.completion import complete
from dsl.lsp.meanings import MEANINGS
from dsl.lsp.place import place
from dsl.lsp.project import Project
from tests.dsl.lsp.marked import PATH, applied, items, offered, project
from tests.dsl.shop import TEMPLATES, shop

PLAYBOOKS = Path(__file__).parents[3] / "playbooks"
START = "let minimum = $50\nlet many = 3\nplaybook p:\n  start on order_completed\n  enter once\n"


def test_every_word_of_the_grammar_has_a_meaning() -> None:
    assert {kind for kind, word in words().items() if word.isalpha()} == set(MEANINGS)


# ── Lines ─────────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_at_the_left_edge_stand_declarations() -> None:
    found = offered("▮")
    assert {"let", "field", "event", "policy", "segment", "playbook", "lifecycle", "audience", "scenario"} == found
    assert offered("let x = $5\n▮\nlet y = 3\n") == found


def test_in_a_playbook_stand_settings_and_steps() -> None:
    found = offered("playbook p:\n  ▮")
    assert {"about", "run every", "start", "only if", "enter", "goal", "send", "wait", "if", "stop"} <= found
    assert not found & {"let", "variant", "measure", "otherwise", "limit", "given"}


def test_settings_stand_once_and_before_the_steps() -> None:
    found = offered("playbook p:\n  start on signed_up\n  leave on order_completed\n  ▮\n  enter once\n  stop\n")
    assert not found & {"start", "enter"}
    assert {"leave", "goal", "send"} <= found
    assert not offered("playbook p:\n  start on signed_up\n  send email hello\n  ▮") & {"enter", "about", "leave"}


def test_otherwise_stands_behind_an_if_only() -> None:
    assert "otherwise" in offered(START + "  if cart.total > $5:\n    send email hello\n  ▮")
    assert "otherwise" not in offered(START + "  if cart.total > $5:\n    send email hello\n    ▮")
    assert "otherwise" not in offered(START + "  send email hello\n  ▮")


def test_each_block_has_its_own_lines() -> None:
    assert offered("policy:\n  ▮") == {"quiet", "limit"}
    assert offered(START + "  experiment e:\n    ▮") == {"measure", "variant", "holdout"}
    assert {"include when", "exclude when", "run every"} <= offered("audience a on facebook:\n  ▮")
    assert offered('scenario "s" for p:\n  ▮') == {"given", "after", "expect"}


def test_a_line_that_goes_on_may_be_continued() -> None:
    assert offered("playbook p:\n  start when cart.total > $0\n    ▮") == {"and", "or"}
    assert "cart.count" in offered("playbook p:\n  start when cart.total > $0\n    and ▮")


def test_lines_below_a_broken_one_are_helped_too() -> None:
    assert "email" in offered("playbok p\n  send emial\nplaybook q:\n  start on signed_up\n  send ▮")
    assert "send" in offered(START + "  otherwise if:\n    stop\n  ▮")


def test_where_a_line_cannot_stand_nothing_is_offered() -> None:
    assert offered("playbook p:\n  stop\n      ▮") == set()


@pytest.mark.parametrize("marked", ["# ▮", 'let x = "▮', 'let x = "a # ▮"', "let x = $5 # ▮", "send ]] ▮", "let ▮"])
def test_nothing_is_offered_in_comments_texts_and_names(marked: str) -> None:
    assert offered(marked) == set()


# ── Names ─────────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_send_offers_channels_that_have_templates() -> None:
    assert offered(START + "  send ▮") == {"email", "sms", "push"}


def test_a_channel_offers_its_templates() -> None:
    for channel in ("email", "sms", "push"):
        names = {name for of, name in TEMPLATES if of == channel}
        assert names
        assert offered(START + f"  send {channel} ▮") == names
    assert offered(START + "  if received ▮") >= {"hello", "last_call", "nudge"}


def test_a_send_offers_the_arguments_that_are_not_given_yet() -> None:
    assert offered(START + "  send email cart:\n    ▮") == {"items", "offer"}
    assert offered(START + "  send email cart:\n    ▮\n    items = cart.items") == {"offer"}
    assert items(START + "  send email cart:\n    ▮")["items"].plain == "items = "


def test_a_scenario_is_given_values_and_no_fields() -> None:
    text = "field due_at is timestamp\nfield tier is text\n" + START + '  stop\nscenario "s" for p:\n  '
    assert offered(text + "given due_at = ▮") == {"2026-12-24"}
    assert offered(text + "given due_at = 2026-12-24 ▮") == {"09:00"}
    assert offered(text + "given tier = ▮") == {'"text"'}
    assert "city" not in offered(text + "after 2 days set tier = ▮")


def test_has_offers_events_those_declared_too() -> None:
    found = offered("event visited:\n  place is text\n" + START + "  if has ▮", "event")
    assert {"order_completed", "quiz_taken", "visited"} <= found
    assert "cart.total" not in found
    assert found == offered(START + "  goal ▮\nevent visited:\n  place is text", "event")


def test_a_where_offers_the_properties_of_its_event() -> None:
    found = offered(START + "  if has product_reviewed where ▮")
    assert {"rating", "review_body"} <= found
    assert not found & {"cart.total", "total", "has", "in segment"}
    assert "total" in offered(START + "  if has product_reviewed and has order_completed where (coupon is known or ▮")
    assert "cart.total" in offered(START + "  if has order_completed where total > $5 and ▮")


def test_event_offers_the_properties_of_the_starting_event() -> None:
    assert "event.order_id" in offered(START + "  if event.▮")
    assert all(label.startswith("event.") for label in offered(START + "  if event.▮"))
    assert not offered("playbook p:\n  start when cart.total > $5\n  if event.▮")
    assert "event.order_id" in offered("playbook p:\n  start on order_completed\n  enter once per ▮")
    assert "cart.total" not in offered("playbook p:\n  start on order_completed\n  enter once per ▮")


def test_segments_playbooks_and_audiences_without_themselves() -> None:
    text = "segment a when cart.total > $5\nsegment b when in segment ▮\n"
    assert offered(text) == {"a"}
    assert offered(START + "  enroll in ▮\nplaybook q:\n  enter once\n") >= {"q"}
    assert offered("audience a on facebook:\n  include when cart.total > $5\n" + START + "  if in audience ▮") == {"a"}
    assert offered("audience a on ▮") == {"facebook"}


def test_types_topics_records() -> None:
    assert offered("field x is ▮") >= {"text", "money", "yes_no"}
    assert offered("event x:\n  y is ▮") == offered("field x is ▮")
    assert offered(START + "  if can receive email about ▮") >= {"offers", "marketing"}
    assert "task" in offered(START + "  create ▮")


# ── Values ────────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_behind_an_amount_stand_comparisons_of_amounts() -> None:
    found = offered(START + "  if cart.total ▮")
    assert {">", ">=", "<", "<=", "is"} <= found
    assert not found & {"starts with", "contains", "includes"}
    assert {"starts with", "contains", "is"} <= offered(START + "  if city ▮")
    assert ">" not in offered(START + "  if city ▮")


def test_an_amount_is_compared_with_amounts() -> None:
    found = offered(START + "  if cart.total > ▮")
    assert {"$50", "minimum", "orders.value", "event.total"} <= found
    assert not found & {"many", "orders.count", "city", "cart.total", "10%", "yes", "event.order_id"}
    assert {"many", "3"} <= offered(START + "  if orders.count >= ▮")


def test_times_are_asked_about_in_words() -> None:
    found = offered(START + "  if cart.updated_at is ▮", "word")
    assert found == {"more than", "in the", "before", "after", "known", "unknown"}
    assert offered(START + "  if cart.total is ▮", "word") == {"not", "one of", "in the", "known", "unknown"}
    assert offered(START + "  if cart.items is ▮") == {"known", "unknown"}
    assert offered(START + "  if cart.updated_at is in the ▮") == {"last", "next"}


def test_yes_and_no() -> None:
    assert {"yes", "no"} <= offered(START + "  if cart.is_abandoned is ▮")
    assert "$50" not in offered(START + "  if cart.is_abandoned is ▮")


def test_lengths_of_time_while_the_number_is_there() -> None:
    assert offered(START + "  wait 3 ▮") == {"3 minutes", "3 hours", "3 days", "3 weeks", "3 months"}
    assert "1 day" in offered(START + "  wait 1 d▮")
    assert applied(START + "  wait 1 d▮", "1 day").endswith("wait 1 day")


def test_the_currency_is_the_shops() -> None:
    text = "let x = "
    found = complete(text, 1, 9, Project(sources={PATH: text}, catalog=shop("PLN")))
    assert "50 PLN" in {item.label for item in found}


# ── What is put in ────────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("marked", "label", "insert"),
    [
        ("▮", "playbook", "playbook ${1:playbook_name}:\n  $0"),
        ("▮", "policy", "policy:\n  $0"),
        ("▮", "segment", "segment ${1:segment_name} when "),
        (START + "  ▮", "if", "if ${1:condition}:\n  $0"),
        (START + "  experiment e:\n    ▮", "variant", "variant ${1:variant_name} ${2:10%}:\n  $0"),
        ("playbook p:\n  enter ▮", "again after", "again after ${1:2 days}"),
        (START + "  if cart.updated_at is ▮", "more than", "more than ${1:2 days} ago "),
        (START + "  if cart.total > ▮", "$50", "${1:\\$50}"),
        (START + "  ▮", "stop", "stop"),
    ],
)
def test_with_a_word_come_those_that_must_follow(marked: str, label: str, insert: str) -> None:
    assert items(marked)[label].insert == insert


def test_with_a_template_come_the_arguments_that_it_needs() -> None:
    assert items(START + "  send email ▮")["cart"].insert == "cart:\n  items = ${1:cart.items}"
    assert items(START + "  send email ▮")["cart"].plain == "cart"
    assert items(START + "  send email ▮:\n    items = cart.items\n")["cart"].insert == "cart"
    assert items(START + "  send email ▮\n    items = cart.items\n")["cart"].insert == "cart"
    assert items("segment a when received ▮")["cart"].insert == "cart"


def test_the_words_that_stand_already_are_not_put_in_again() -> None:
    assert items(START + "  ▮ cart.total > $5:\n    stop")["if"].insert == "if"
    assert items("playbook p:\n  start when cart.updated_at is ▮ 3 days ago")["more"].insert == "more"


def test_the_typed_part_of_a_name_is_replaced() -> None:
    assert applied(START + "  if cart.to▮", "cart.total") == START + "  if cart.total"
    assert applied(START + "  se▮", "send") == START + "  send "
    assert applied(START + "  if ▮", "has") == START + "  if has "
    assert applied("▮", "policy") == "policy:"


# ── All of it ─────────────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("path", sorted(PLAYBOOKS.glob("*.playbook")), ids=lambda path: path.stem)
def test_every_word_that_was_written_is_offered_at_its_place(path: Path) -> None:
    """Each fixed word and each known name of the shipped playbooks is among what is offered where it stands."""
    text = path.read_text("utf-8")
    here = project({path.name: text})
    missing = []
    for token in lex(text):
        if token.type in words() and token.isalpha():
            offered = [item.label.split()[0] for item in complete(text, token.line, token.column, here)]
            labels = {*offered, *(label.partition(".")[0] for label in offered)}  # `event` of `event.order_id`
            missing += [] if str(token) in labels else [(token.line, str(token))]
    assert missing == []


FORMS = """\
lifecycle:
  at_risk when orders.count > 3
  active otherwise

audience big on facebook:
  include when cart.total > $5

audience small on facebook:
  about "Kept by playbooks."

field tier is text
field nick is text
segment warm when orders.count > 1

playbook other:
  start when cart.total > $5 and cart.updated_at is in the last 3 days
  enter once
  wait 1 day

playbook p:
  start on order_completed
  enter once
  experiment e:
    measure order_completed within 7 days
    variant left 50%:
      wait 1 day
    variant right 50%:
      wait 2 days
"""


@pytest.mark.parametrize(
    "line",
    [
        "  if cart.total > ▮:",
        "  if cart.total is ▮:",
        "  if city is one of ▮:",
        "  if orders.last_at is ▮:",
        "  if event.total >= ▮:",
        "  if stage is ▮:",
        "  if ▮ is known:",
        "  if has ▮:",
        "  if has no ▮ since entry:",
        "  if has order_completed where ▮ is known:",
        "  if has product_reviewed where rating > ▮:",
        "  if last product_added was (name is known or ▮ is known):",
        "  if in segment ▮:",
        "  if in audience ▮:",
        "  if received ▮ in the last 3 days:",
        "  if tier has been ▮ for 3 days:",
        "  if orders.count > 3 and ▮ is known:",
    ],
)
def test_whatever_is_offered_in_a_condition_compiles(line: str) -> None:
    found = [item for item in items(FORMS + line + "\n    stop\n").values() if item.kind != "word"]
    assert found
    for item in found:
        whole = FORMS + line.replace("▮", item.plain.strip()) + "\n    stop\n"
        errors = [p for p in compile_sources({PATH: whole}, shop()).problems if p.severity == "error"]
        assert errors == [], item.label


@pytest.mark.parametrize(
    "line",
    [
        "  set tier = ▮",
        "  set nick = ▮",
        "  set ▮ = event.coupon",
        "  add to audience ▮",
        "  remove from audience ▮",
        "  enroll in ▮",
        "  create ▮ for sales",
        "  update ▮:\n    x = city",
        "  wait until 3 days before ▮",
        "  wait for ▮ up to 3 days",
        "  send email ▮:\n    items = cart.items",
        "  send email cart:\n    items = ▮",
    ],
)
def test_whatever_is_offered_in_a_step_compiles(line: str) -> None:
    found = [item for item in items(FORMS + line + "\n").values() if item.kind != "word"]
    assert found
    allowed = {"WB314", "WB315", "WB316"} if "send email ▮" in line else set()
    for item in found:
        whole = FORMS + line.replace("▮", item.plain.strip()) + "\n"
        errors = [p for p in compile_sources({PATH: whole}, shop()).problems if p.severity == "error"]
        assert [p for p in errors if p.code not in allowed] == [], item.label


def test_whatever_is_offered_is_taken_by_the_parser() -> None:
    chance = random.Random(7)
    text = FORMS + (PLAYBOOKS / "abandoned_cart.playbook").read_text("utf-8")
    here = project({PATH: text})
    tokens = [token for token in lex(text) if token.strip()]
    for token in chance.sample(tokens, 40):
        found = complete(text, token.line, token.column, here)
        rows = text.split("\n")
        before = rows[token.line - 1][: token.column - 1]
        for item in chance.sample(found, min(8, len(found))):
            rows[token.line - 1] = before[: len(before) - item.replaces] + item.plain.strip() + " "
            typed = "\n".join(rows[: token.line])
            assert place(typed, token.line, len(rows[token.line - 1]) + 1) is not None, (before, item.label)


def test_whatever_the_text_is_nothing_is_raised() -> None:
    chance = random.Random(4)
    text = (PLAYBOOKS / "abandoned_cart.playbook").read_text("utf-8") + START
    alphabet = 'abc .,:="#$%()\n\t\r 123😀“”\u00a0\u2028\ud83devent send cart.total > '
    here = Project(sources={PATH: text}, catalog=compile_sources({PATH: text}, shop()).catalog)
    for _ in range(120):
        at = chance.randrange(len(text))
        damaged = text[:at] + "".join(chance.choices(alphabet, k=5)) + text[at + chance.randrange(30) :]
        line = chance.randrange(1, damaged.count("\n") + 3)
        for item in complete(damaged, line, chance.randrange(1, 40), here):
            assert item.label
    assert complete("x " * 200_000, 1, 5, here) == ()
