"""What the word under the pointer means."""

from __future__ import annotations

import pytest

from dsl.lsp.hover import front_matter, hover
from tests.dsl.lsp.marked import PATH, place, project

HEAD = """\
let minimum = $50
segment loyal when orders.count >= 4
playbook p:
  about "Hello."
  start on order_completed
"""


def said(marked: str, page: str = "") -> str:
    at = place(marked)
    found = hover(at.project, PATH, at.line, at.column, lambda path: page if path.startswith("templates/") else None)
    assert found is not None
    return found.markdown


@pytest.mark.parametrize(
    ("marked", "parts"),
    [
        ("  if cart.▮total > $5:", ("**cart.total**", "an amount of money", "Counts as 0")),
        ("  if cart.total > mini▮mum:", ("a constant", "let minimum = $50")),
        ("  if in segment lo▮yal:", ("a segment", "segment loyal when orders.count >= 4")),
        ("  goal order_co▮mpleted within 7 days", ("an event", "Placed an order.", "`order_id`")),
        ("  if event.to▮tal > $5:", ("a property: an amount of money", "`order_completed` that starts")),
        ("  if has product_reviewed where ra▮ting > 3:", ("a property: a number", "`product_reviewed`")),
        ("  send em▮ail hello", ("a channel", "address in `email`", "`hello`")),
        ("  send email cart:\n    it▮ems = cart.items", ("an argument", "needs it")),
        ("  send email cart:\n    off▮er = cart.items", ("reads it when it is there",)),
        ("  send email cart:\n    no▮thing = cart.items", ("does not read it",)),
        ("  if stage is her▮o:\nlifecycle:\n  hero when orders.count > 3", ("a stage", "hero when orders.count > 3")),
        ("  enroll in ▮p", ("a playbook", "Hello.")),
        ("  wa▮it 2 days", ("**wait** · Goes on later", "wait until 09:00")),
        ("  goal x wit▮hin 7 days", ("At most this long",)),
        ("  if ca▮rt.totl > $5:", ("no field or constant of this name is known",)),
        ("  send email no▮ne", ("no template of this name is known",)),
    ],
)
def test_what_is_said(marked: str, parts: tuple[str, ...]) -> None:
    told = said(HEAD + marked + "\n")
    for part in parts:
        assert part in told


def test_a_template_tells_its_subject_and_its_variables() -> None:
    told = said(HEAD + "  send email ca▮rt\n", "---\nsubject: Your cart: still here\ntopic: offers\n---\n<p>")
    assert "Subject: Your cart: still here" in told
    assert "Needs `items`." in told
    assert "May be given `offer`." in told
    assert "templates/email/cart.html" in told


def test_front_matter() -> None:
    assert front_matter("---\nsubject: 'Hi: you'\n---\nx") == {"subject": "Hi: you"}
    assert front_matter("---\nsubject: Hi") == {}
    assert front_matter("") == {}


def test_the_stretch_is_the_name_and_nothing_is_said_of_blanks() -> None:
    at = place("segment a when cart.▮total > $5 # cart.total\n")
    found = hover(at.project, PATH, at.line, at.column)
    assert found is not None
    assert (found.span.column, found.span.end_column) == (16, 26)
    here = project({PATH: "# wait\n\n  \n"})
    assert hover(here, PATH, 1, 4) is None
    assert hover(here, PATH, 99, 99) is None
    assert hover(here, "other.playbook", 1, 1) is None
