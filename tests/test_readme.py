"""The README: what it shows compiles, its mistake is told as it says, links lead somewhere, CI runs its commands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dsl.compile import compile_sources
from dsl.diagnostics import render
from dsl.standard import standard_catalog

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "README.md").read_text("utf-8")


def blocks(kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", TEXT, re.DOTALL)


def test_the_playbook_compiles() -> None:
    (source,) = blocks("playbook")
    compiled = compile_sources({"abandoned_cart.playbook": source}, standard_catalog())
    assert compiled.problems == ()
    assert list(compiled.plans) == ["abandoned_cart"]


def test_the_mistake_is_told_as_it_says() -> None:
    shown = next(block for block in blocks("text") if "emial" in block)
    lines = [
        "playbook abandoned_cart:",
        "  start on signed_up",
        "  enter once",
        "  # 4",
        "  # 5",
        "  # 6",
        "  # 7",
        "  # 8",
    ]
    source = "\n".join([*lines, "  send emial cart_reminder", ""])
    compiled = compile_sources({"abandoned_cart.playbook": source}, standard_catalog())
    assert [render(problem, source) for problem in compiled.problems] == [shown.rstrip()]


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\(([^)#:]+)\)", TEXT))))
def test_links_lead_somewhere(target: str) -> None:
    assert (ROOT / target).exists()


def test_ci_runs_the_commands_of_the_readme() -> None:
    script = (ROOT / ".ci" / "run").read_text("utf-8")
    for mark in ("demo", "tests"):
        assert f"<!-- {mark} -->\n```sh\n" in TEXT
        assert f"$(block {mark})" in script
