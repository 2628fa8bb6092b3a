"""docs/commands.md against the commands: all are there with all options, examples parse, and print what is shown."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer

from cli import app
from tests.cli.conftest import Winback
from tests.cli.test_commands import commands

TEXT = (Path(__file__).parents[2] / "docs" / "commands.md").read_text("utf-8")
SECTIONS = dict(re.findall(r"^## winback (.+?)\n(.*?)(?=^## |\Z)", TEXT, re.MULTILINE | re.DOTALL))
EXAMPLES = re.findall(r"```console\n\$ winback (.*?)\n(.*?)```", TEXT, re.DOTALL)
PRINTED = (
    "init",
    "check",
    "fmt",
    "explain",
    "import events.jsonl",
    "plan",
    "backtest",
    "test",
    "profile",
    "outbox list",
)
"""Examples whose output is compared: those that are quick, and need no more than the project of the tests."""


def found(words: list[str]) -> tuple[Any, list[str]]:
    """The command that the words name, and its arguments."""
    command: Any = typer.main.get_command(app)
    while hasattr(command, "commands"):
        command, words = command.commands[words[0]], words[1:]
    return command, words


def test_every_command_has_a_section() -> None:
    assert sorted(SECTIONS) == sorted(commands())


@pytest.mark.parametrize("name", list(commands()))
def test_every_option_is_told_and_no_other(name: str) -> None:
    command, _ = found(name.split())
    options = {each for p in command.params for each in (*p.opts, *p.secondary_opts) if each.startswith("--")}
    told = set(re.findall(r"--[a-z-]+", SECTIONS[name]))
    assert told <= options
    assert options - told <= {"--project", "--help"}


@pytest.mark.parametrize("example", [example for example, _ in EXAMPLES])
def test_every_example_parses(example: str) -> None:
    command, arguments = found(shlex.split(example))
    assert command.make_context("winback", arguments)


def test_every_section_has_an_example_of_its_command() -> None:
    assert {name for name in SECTIONS if any(example.startswith(name) for example, _ in EXAMPLES)} == set(SECTIONS)


@pytest.mark.parametrize(("example", "shown"), [each for each in EXAMPLES if each[0].startswith(PRINTED)])
def test_examples_print_what_is_shown(example: str, shown: str, stocked: Path, winback: Winback) -> None:
    if "mine.playbook" in example:
        (stocked / "playbooks" / "mine.playbook").write_text(
            "playbook mine:\n  start when cart.totl > $0\n  enter once\n  send email hello\n"
        )
    if "second.playbook" in example:
        (stocked / "playbooks" / "second.playbook").write_text(
            "playbook second:\n  run every 15 minutes\n  start on signed_up\n  enter once\n  send email hello\n\n"
            'scenario "not at once" for second:\n  given signed_up 5 minutes ago\n'
            "  expect no send email hello before 1 day\n"
        )
    if example.startswith("import"):
        (stocked / "winback.db").unlink()
    said = winback(*shlex.split(example))
    rest = plain(said.out + said.err)
    for piece in filter(None, map(str.strip, plain(shown).split("…"))):
        before, there, rest = rest.partition(piece)
        assert there, f"{piece!r} is not in {said.out}{said.err}"
        assert before == "" or "…" in shown


def plain(text: str) -> str:
    """Without what differs from run to run: seconds, and blanks at will."""
    return " ".join(re.sub(r"[\d.]+ s\)", "s)", text).split())
