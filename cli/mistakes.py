"""`winback explain WB203`: what a code means, with an example that is checked on the spot."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.text import Text

from cli.console import OUT, USED_WRONGLY, fail, print_json
from dsl.codes import CODES
from dsl.compile import compile_sources
from dsl.diagnostics import Diagnostic, render
from dsl.mistakes import SEEN, Mistake, mistake, shop, whole

FILE = "example.playbook"
"""How the messages call the example."""


def is_code(text: str) -> bool:
    """Whether it is a code, in small letters or capitals."""
    return re.fullmatch(r"WB\d+", text.upper()) is not None


def explain_code(text: str, *, as_json: bool) -> None:
    """Print what is wrong, the message, and how it is right."""
    code = text.upper()
    if code not in CODES:
        way_out = f"Messages carry codes from {min(CODES)} to {max(CODES)}; docs/errors.md lists them all."
        fail(code, "There is no such code.", way_out, USED_WRONGLY)
    one = mistake(code)
    problems = checked(one.wrong, one.beside)
    if as_json:
        told = [{"message": p.message, "hint": p.hint} for p in problems if p.code == code]
        print_json({"code": code, "about": one.sentence, "more": one.more, "severity": problems[0].severity,
                    "wrong": one.wrong, "told": told, "right": one.right, "files": dict(one.beside)})  # fmt: skip
        return
    OUT.print(Text.assemble((code, "bold"), f"  {one.sentence}"), soft_wrap=True)
    OUT.print(Text(one.more, style="dim"))
    _show("Wrong", one.wrong, "bold red")
    OUT.print()
    OUT.print(Text(message(one, problems)), soft_wrap=True)
    _show("Right", one.right, "bold green")
    for path, content in one.beside.items():
        _show(path, content, "bold")


def message(one: Mistake, problems: tuple[Diagnostic, ...]) -> str:
    """What `winback check` prints about the example."""
    return "\n\n".join(render(problem, whole(one.wrong)) for problem in problems if problem.code == one.code)


def checked(example: str, beside: Mapping[str, str]) -> tuple[Diagnostic, ...]:
    """What is told about a playbook file in the examples' shop, by the compiler that `winback check` uses."""
    from flows import settings
    from flows.project import Project

    with TemporaryDirectory() as place:
        folder = Path(place)
        for path, content in {**shop(), **beside}.items():
            file = folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content, encoding="utf-8")
        catalog = Project(folder=folder, settings=settings.read(folder)).catalog.with_events(SEEN)
    return compile_sources({FILE: whole(example)}, catalog).problems


def _show(title: str, text: str, style: str) -> None:
    OUT.print(Text(f"\n{title}", style=style))
    OUT.print(Text("\n".join(f"  {line}" for line in text.splitlines())), soft_wrap=True)
