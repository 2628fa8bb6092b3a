"""What names stand for, told by the words before them."""

from __future__ import annotations

from itertools import pairwise

from lark import Token

from dsl.grammar import grammar
from dsl.lsp.names import name_at, names
from dsl.lsp.roles import Role, meant

TEXT = """\
event booked:
  visit_id is text

lifecycle:
  at_risk when orders.count > 3
  active otherwise

audience lapsed on facebook:
  include when in segment warm

playbook p:
  start on booked where visit_id is known
  enter once per event.visit_id
  wait until 3 days before event.starts_at
  wait for product_reviewed where rating >= 4 up to 7 days
  wait until stage is at_risk up to 3 days
  create task for sales:
    title = "x"
  set tier = gold
  enroll in q
  if last order_completed where total > $10 was (total > $100 or coupon is known) and city is "Oslo":
    add to audience lapsed

scenario "s" for p:
  given cart.total = $5
  given booked 2 days ago:
    visit_id = "a"
  given experiment e picks first
  after 1 day opened hello
  expect no send email hello before 2 days
"""


def found(text: str) -> list[tuple[str, Role, bool, str]]:
    return [(n.text, n.role, n.meant.declares, n.meant.of) for n in names(text, "x")]


def test_every_form() -> None:
    told = found(TEXT)
    for wanted in (
        ("booked", Role.EVENT, True, ""),
        ("visit_id", Role.PROPERTY, True, "booked"),
        ("text", Role.TYPE, False, ""),
        ("at_risk", Role.STAGE, True, ""),
        ("facebook", Role.CONNECTOR, False, ""),
        ("warm", Role.SEGMENT, False, ""),
        ("visit_id", Role.PROPERTY, False, "booked"),
        ("event.visit_id", Role.PROPERTY, False, "booked"),
        ("event.starts_at", Role.PROPERTY, False, "booked"),
        ("product_reviewed", Role.EVENT, False, ""),
        ("rating", Role.PROPERTY, False, "product_reviewed"),
        ("stage", Role.FIELD, False, ""),
        ("at_risk", Role.VALUE, False, ""),
        ("task", Role.NOUN, False, ""),
        ("sales", Role.TEAM, False, ""),
        ("title", Role.ARGUMENT, False, ""),
        ("tier", Role.FIELD, False, ""),
        ("q", Role.PLAYBOOK, False, ""),
        ("total", Role.PROPERTY, False, "order_completed"),
        ("coupon", Role.PROPERTY, False, "order_completed"),
        ("city", Role.FIELD, False, ""),
        ("lapsed", Role.AUDIENCE, False, ""),
        ("p", Role.PLAYBOOK, False, ""),
        ("cart.total", Role.FIELD, False, ""),
        ("booked", Role.EVENT, False, ""),
        ("e", Role.EXPERIMENT, False, ""),
        ("first", Role.VARIANT, False, ""),
        ("hello", Role.TEMPLATE, False, ""),
        ("hello", Role.TEMPLATE, False, "email"),
    ):
        assert wanted in told


def test_a_broken_line_still_tells() -> None:
    assert ("email", Role.CHANNEL, False, "") in found("playbook p:\n  send email hello now please\n")
    assert ("cart.total", Role.FIELD, False, "") in found("segment a when cart.total > > 5\n")


def test_wherever_the_grammar_takes_a_name_its_meaning_is_told() -> None:
    """For each place of a rule with a name behind a fixed word: somebody who adds a form adds what its names mean."""
    untold = set()
    for rule in grammar().rules:
        symbols = [symbol.name for symbol in rule.expansion]
        for before, symbol in pairwise(symbols):
            is_name = symbol in {"NAME", "field", "value", "condition"}
            if is_name and before.isupper() and before != "DOT" and before not in {"NAME", "DURATION"}:
                first = [Token("WAIT" if before == "FOR" else "IF", "if"), Token("NAME", "x"), Token(before, "y")]
                alone = [Token(before, "y")]
                if meant(first) is None and meant(alone) is None:
                    untold.add((rule.origin.name, before))
    assert untold == {("enroll", "IN")}  # told by the first word: see above


def test_a_name_ends_where_the_pointer_may_still_be() -> None:
    text = "segment a when cart.total > $5\n"
    at = text.index("cart")
    for column in (at + 1, at + 5, at + len("cart.total") + 1):
        name = name_at(text, "x", 1, column)
        assert name is not None
        assert name.text == "cart.total"
    assert name_at(text, "x", 1, at) is None
