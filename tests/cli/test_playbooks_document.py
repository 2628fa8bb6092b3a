"""docs/playbooks.md: everything that it shows compiles, and every field is told."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dsl.catalog import FIELDS
from dsl.compile import compile_sources
from dsl.format import canonical
from dsl.standard import standard_catalog

TEXT = (Path(__file__).parents[2] / "docs" / "playbooks.md").read_text("utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", TEXT, re.DOTALL)
SEGMENT = "segment regulars when orders.count >= 3\n"


def whole(kind: str, body: str) -> list[str]:
    """The blocks as files that can be compiled."""
    lines = body.splitlines()
    match kind:
        case "playbook":
            return [body]
        case "settings":
            return [playbook([*lines, "send email hello"])]
        case "steps":
            return [playbook(["start on signed_up", "enter once", *lines])]
        case "conditions":
            return [
                SEGMENT + playbook(["start on signed_up", "enter once", f"if {line}:", "  send email hello"])
                for line in lines
            ]
    raise AssertionError(f"the document has a block of an unknown kind: {kind}")


def playbook(lines: list[str]) -> str:
    return "".join(("playbook shown:\n", *(f"  {line}\n" for line in lines)))


FILES = [text for kind, body in BLOCKS for text in whole(kind, body)]


@pytest.mark.parametrize("text", FILES)
def test_what_is_shown_compiles_and_is_in_canonical_form(text: str) -> None:
    result = compile_sources({"shown.playbook": text}, standard_catalog())
    assert [(p.span.line, p.message, p.hint) for p in result.problems] == []
    assert len(result.plans) == 1
    assert canonical(text).replace("\n\n", "\n") == text.replace("\n\n", "\n")


def test_the_lines_of_the_tables_are_forms_of_the_language() -> None:
    lines = [line for row in re.findall(r"^\| (`.*?`) \|", TEXT, re.MULTILINE) for line in re.findall(r"`(.*?)`", row)]
    filled = [line.replace("EVENT", "order_completed").replace("…", "orders.count is 1") for line in lines]
    first = {line.split()[0] for line in filled}
    assert first == {"start", "only", "enter", "leave", "goal", "holdout", "run"}
    always = {"start": "start on order_completed", "enter": "enter once"}
    for line in filled:
        rest = [text for word, text in always.items() if line.split()[0] != word]
        text = playbook([*sorted([*rest, line], key=_order), "send email hello"])
        result = compile_sources({"shown.playbook": text}, standard_catalog())
        assert [p.message for p in result.problems] == [], line


def _order(line: str) -> int:
    return ("run", "start", "only", "enter", "leave", "goal", "holdout").index(line.split()[0])


def test_every_field_is_told() -> None:
    assert [name for name in FIELDS if f"`{name}`" not in TEXT] == []
