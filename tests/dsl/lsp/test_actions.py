"""Fixes: each leaves a text in which the mistake is gone, and no new one has come."""

from __future__ import annotations

import pytest

from dsl.compile import compile_sources
from dsl.diagnostics import Edit, source_lines
from dsl.lsp.actions import Action, actions
from tests.dsl.shop import shop

PATH = "here.playbook"
HEAD = "playbook p:\n  start on order_completed\n  enter once\n"


def found(text: str, first: int = 1, last: int = 999) -> list[Action]:
    return list(actions(compile_sources({PATH: text}, shop()).problems, PATH, first, last))


def mended(text: str, edits: tuple[Edit, ...]) -> str:
    rows = source_lines(text)
    for edit in sorted(edits, key=lambda edit: (-edit.span.line, -edit.span.column)):
        row = rows[edit.span.line - 1]
        rows[edit.span.line - 1] = row[: edit.span.column - 1] + edit.text + row[edit.span.end_column - 1 :]
    return "\n".join(rows)


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("  send emial hello\n", "  send email hello\n"),
        ("  send email helo\n", "  send email hello\n"),
        ("  leave on order_complted\n", "  leave on order_completed\n"),
        ("  leave when cart.totl > $5\n", "  leave when cart.total > $5\n"),
        ("  leave when cart.count == 0\n", "  leave when cart.count is 0\n"),
        ("  leave when city != \"x\"\n", "  leave when city is not \"x\"\n"),
        ("  leave when cart.total > 50$\n", "  leave when cart.total > $50\n"),
        ("  leave when cart.total > 5\n", "  leave when cart.total > $5\n"),
        ("  leave when orders.count > $5\n", "  leave when orders.count > 5\n"),
        ("  leave when city is berlin\n", '  leave when city is "berlin"\n'),
        ("  create taks for sales\n", "  create task for sales\n"),
        ("  update deal:\n    x = city\n", None),
        ('  about "hello\n', '  about "hello"\n'),
        ('  if city is "Oslo:\n    stop\n', None),
        ("  about “hello”\n", '  about "hello"\n'),
        ("  wait 2days\n", "  wait 2 days\n"),
        ("  wait 3 dayz\n", "  wait 3 days\n"),
        ("  wait until 9pm\n", "  wait until 21:00\n"),
        ("  hold 5%\n", None),
        ("  enter onse\n", None),
        ("\tstop\n", "  stop\n"),
        ("  wait\u00a02 days\n", "  wait 2 days\n"),
        ("  wait \u200b2 days\n", "  wait 2 days\n"),
        ("  stop:\n", "  stop\n"),
        ("  if cart.total > $5\n    stop\n", "  if cart.total > $5:\n    stop\n"),
        ("  if cart.total > $5 then\n    stop\n", "  if cart.total > $5:\n    stop\n"),
        ("  if (cart.total > $5 or city is known:\n    stop\n", None),
        ("  if cart.total > $5:\n    stop\n  else:\n    send sms last_call\n",
         "  if cart.total > $5:\n    stop\n  otherwise:\n    send sms last_call\n"),
        ("  Stop\n", "  stop\n"),
        ("  pause 2 days\n", "  wait 2 days\n"),
    ],
)  # fmt: skip
def test_a_fix_mends_its_mistake(wrong: str, right: str | None) -> None:
    text = HEAD + wrong
    codes = {problem.code for problem in compile_sources({PATH: text}, shop()).problems}
    offered = [action for action in found(text) if action.preferred]
    if right is None:
        for action in offered:
            assert codes & {problem.code for problem in action.problems}
        return
    assert len(offered) == 1
    fixed = mended(text, offered[0].edits)
    assert fixed == HEAD + right
    left = compile_sources({PATH: fixed}, shop()).problems
    assert not {problem.code for problem in offered[0].problems} & {problem.code for problem in left}


def test_a_mistake_that_only_the_reader_can_mend_has_no_fix() -> None:
    assert found(HEAD + "  wait soon\n") == []
    assert found(HEAD + "  wait until 31.12.2025\n") == []


def test_only_those_of_the_lines_asked_about_and_one_for_all() -> None:
    text = HEAD + "  send emial hello\n  wait 2days\n  stop:\n"
    assert [action.title for action in found(text, 5, 5)] == ["Change it to `2 days`", "Mend 3 mistakes in this file"]
    everything = found(text, 5, 5)[1]
    assert mended(text, everything.edits) == HEAD + "  send email hello\n  wait 2 days\n  stop\n"
    assert found(text, 1, 1) == []


def test_every_tab_goes_at_once() -> None:
    text = "playbook p:\n\tstart on signed_up\n\tenter once\n\tstop\n"
    (action,) = found(text, 2, 2)
    assert mended(text, action.edits) == "playbook p:\n  start on signed_up\n  enter once\n  stop\n"
