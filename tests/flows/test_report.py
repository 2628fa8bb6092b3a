"""What a tick tells: every reason that is ever recorded has its words."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from connectors.email_smtp.verdicts import RULES
from flows.report import REASONS, because
from ledger.deliver import DOWN, LOST
from ledger.throttle import Door

ROOT = Path(__file__).parents[2]
WRITERS = [
    *(ROOT / "ledger").glob("*.py"),
    *(path for path in (ROOT / "connectors").rglob("*.py") if "templates" not in path.parts),
    ROOT / "flows" / "dispatch.py",
    ROOT / "flows" / "tick.py",
    ROOT / "profiles" / "joins.py",
]
CODE = re.compile("[a-z][a-z_0-9]*")
TOLD = {"_complete", "_unavailable", "found_sent", "found_unsent", "settle"}
"""Functions that take a reason among their plain arguments."""


def written(tree: ast.AST) -> Iterator[str]:
    """The texts that stand where a reason does."""
    for node in ast.walk(tree):
        match node:
            case ast.keyword(arg="reason" | "stopped", value=ast.Constant(value=str(text))):
                yield text
            case ast.Assign(targets=[ast.Attribute(attr="stopped")], value=ast.Constant(value=str(text))):
                yield text
            case ast.BoolOp(values=[ast.Attribute(attr="reason"), ast.Constant(value=str(text))]):
                yield text
            case ast.Subscript(value=ast.Attribute(attr="failed" | "skipped" | "delayed"), slice=ast.Constant(value=v)):
                yield str(v)
            case ast.Dict(keys=keys, values=values):
                for key, value in zip(keys, values, strict=True):
                    match key, value:
                        case ast.Constant(value="reason"), ast.Constant(value=str(text)):
                            yield text
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=arguments) if name in TOLD:
                yield from (each.value for each in arguments if isinstance(each, ast.Constant))  # type: ignore[misc]


def test_every_reason_that_is_recorded_has_words_and_no_other() -> None:
    texts = [text for path in WRITERS for text in written(ast.parse(path.read_text("utf-8")))]
    found = {text for text in texts if isinstance(text, str) and CODE.fullmatch(text)}
    assert {"no_consent", "render_error", "not_connected", "evidence", "host_unknown"} <= found, "the collector works"
    shut = {door.value for door in (Door.THROTTLED, Door.BROKEN)}
    assert found | shut | {rule.reason for rule in RULES} | DOWN | {LOST} == set(REASONS)


def test_people_leave_for_the_event_that_they_left_on() -> None:
    assert because("on order_completed") == "left on order_completed"
    assert because("when") == "left the playbook in time"
