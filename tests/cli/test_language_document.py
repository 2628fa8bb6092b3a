"""docs/language.md: the tutorial works as it is told, everything that it shows compiles, every form is shown."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from cli.demo.shop import generate
from cli.init import make
from dsl.catalog import FIELDS
from dsl.compile import compile_sources
from dsl.format import canonical
from dsl.grammar import grammar
from dsl.standard import standard_catalog
from tests.cli.conftest import Winback, lines
from tests.dsl.reached import alternatives, reached

TEXT = (Path(__file__).parents[2] / "docs" / "language.md").read_text("utf-8")
TUTORIAL, REFERENCE = TEXT.split("# Reference\n")
BLOCK = re.compile(r"```(\w+)([^\n]*)\n(.*?)```", re.DOTALL)
BLOCKS = [(kind, body) for kind, _, body in BLOCK.findall(REFERENCE)]
DECLARED = BLOCKS[0][1].partition("\nplaybook win_back")[0]
"""The declarations of the first block: what the others may name."""
APOLOGISE = "playbook apologise:\n  start on signed_up\n  enter once\n  send email sorry\n"
ALL_STEPS = next(body for kind, body in BLOCKS if kind == "steps")


def playbook(lines: list[str], name: str = "shown") -> str:
    return "".join((f"playbook {name}:\n", *(f"  {line}\n" if line else "\n" for line in lines)))


def whole(kind: str, body: str) -> list[str]:
    """The blocks as files that can be compiled."""
    lines = body.splitlines()
    match kind:
        case "playbook":
            return [body]
        case "settings":
            return [DECLARED + playbook([*lines, "send email hello"])]
        case "steps":
            return [DECLARED + APOLOGISE + playbook(["start on appointment_booked", "enter once", *lines])]
        case "conditions":
            return [
                DECLARED + playbook(["start on signed_up", "enter once", f"if {line}:", "  send email hello"])
                for line in lines
            ]
        case "scenario":
            settings = ["start on appointment_booked", "enter once", "goal order_completed within 30 days"]
            steps = playbook([*settings, *ALL_STEPS.splitlines(), "send sms last_word"])
            story = "".join(f"  {line}\n" for line in lines)
            return [DECLARED + APOLOGISE + steps + 'scenario "shown" for shown:\n' + story]
    raise AssertionError(f"the document has a block of an unknown kind: {kind}")


FILES = [text for kind, body in BLOCKS for text in whole(kind, body)]


@pytest.mark.parametrize("text", FILES)
def test_what_is_shown_compiles(text: str) -> None:
    result = compile_sources({"shown.playbook": text}, standard_catalog())
    assert [(p.span.line, p.message, p.hint) for p in result.problems if p.severity == "error"] == []
    assert result.ok


@pytest.mark.parametrize(("kind", "body"), BLOCKS)
def test_what_is_shown_is_in_canonical_form(kind: str, body: str) -> None:
    for text in whole(kind, body):
        assert canonical(text).replace("\n\n", "\n") == text.replace("\n\n", "\n")


def test_every_form_of_the_grammar_is_shown() -> None:
    shown = {form for text in FILES for form in reached(text)}
    """But for files that are empty, or begin with a comment."""
    assert {rule for rule, _ in alternatives() - shown} <= {"start"}


def test_every_word_of_the_grammar_is_in_the_reference() -> None:
    words = {terminal.pattern.value for terminal in grammar().terminals if terminal.pattern.type == "str"}
    told = set(re.findall(r"[a-z_]+", " ".join(body for _, body in BLOCKS)))
    assert {word for word in words if word.isalpha()} - told == {"true", "false", "null"}


def test_the_rows_of_the_tables_are_forms_of_the_language() -> None:
    """The first word of each is one that begins a line."""
    rows = [
        line for row in re.findall(r"^\| (`.*?) \|", REFERENCE, re.MULTILINE) for line in re.findall(r"`(.*?)`", row)
    ]
    rows = [line for line in rows if line not in ("minutes", "cart.total", "free_shipping", "event.order_id")]
    first = {line.split()[0] for line in rows if not line[0].isdigit() and line[0].islower()}
    known = {terminal.pattern.value for terminal in grammar().terminals if terminal.pattern.type == "str"}
    assert {word.rstrip(":") for word in first} - known == set()


def test_every_field_is_told() -> None:
    assert [name for name in FIELDS if f"`{name}`" not in REFERENCE] == []


# ── The tutorial ──────────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.fixture
def shop(tmp_path: Path, winback: Winback, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What `winback demo` makes, smaller, and without its days of runs."""
    folder = tmp_path / "winback-demo"
    make(folder)
    made = generate(seed=7, today=date(2026, 11, 20), customers=200)
    lines(folder / "history.jsonl", *made.history)
    monkeypatch.chdir(folder)
    assert winback("import", "history.jsonl").code == 0
    return folder


ONE_SEND = "  send email come_back\n"
WITH_PRODUCTS = "  send email come_back:\n    products = recommended.from_orders\n"


def test_the_tutorial_works(shop: Path, winback: Winback) -> None:
    """Its files are written, its edits made and its commands run, in the order told."""
    second_order = shop / "playbooks" / "second_order.playbook"
    ran: list[str] = []

    def edit(old: str, new: str) -> None:
        text = second_order.read_text("utf-8")
        assert text.count(old) == 1
        second_order.write_text(text.replace(old, new), "utf-8")
        assert winback("check").code == 0

    for kind, info, body in BLOCK.findall(TUTORIAL):
        indented = "".join(f"  {line}\n" for line in body.splitlines())
        file, _, more = info.strip().partition(" ")
        if file:
            path = shop / file
            path.write_text((path.read_text("utf-8") + "\n" if more else "") + body, "utf-8")
        elif kind == "settings":
            edit("  goal order_completed within 14 days\n", "  goal order_completed within 14 days\n" + indented)
        elif kind == "steps":
            edit(WITH_PRODUCTS if "experiment" in body else ONE_SEND, indented)
        else:
            for line in body.splitlines():
                if line.startswith("winback ") and line != "winback demo":
                    said = winback(*line.split()[1:])
                    ran.append(line)
                    is_told = line == "winback check"
                    assert said.code == is_told, (line, said.out, said.err)
                    assert not is_told or ("come_back" in said.err and "WB204" in said.err)
    assert ran == [
        "winback check",
        "winback plan second_order",
        "winback test",
        "winback fmt",
        "winback run second_order",
        "winback backtest second_order",
    ]
