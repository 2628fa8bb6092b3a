"""`winback test`: the scenarios of the playbooks, and what of the playbooks none of them comes by."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from cli.console import ERROR, OUT, PROBLEMS, USED_WRONGLY, Json, ProjectFolder, fail, plural, print_json

if TYPE_CHECKING:
    from dsl.compile import Compiled
    from dsl.diagnostics import Diagnostic
    from dsl.scenario import Scenario
    from flows.scenario.coverage import Coverage
    from flows.scenario.play import Line, Result


def register(app: typer.Typer) -> None:
    app.command("test")(test)


def test(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Files or folders; default: the project's playbooks.")
    ] = None,
    named: Annotated[
        str | None, typer.Option("--name", "-k", metavar="TEXT", help="Only scenarios with this text in their name.")
    ] = None,
    timeline: Annotated[bool, typer.Option("--timeline", help="Show what happened in those that pass, too.")] = False,
    as_json: Json = False,
    project: ProjectFolder = None,
) -> None:
    """Play the scenarios of the playbooks on an empty store in memory. Sends nothing and keeps nothing."""
    from cli.reading import compiled_in
    from flows.scenario.coverage import coverage
    from flows.scenario.play import play, unsound
    from flows.scenario.world import bench

    home, compiled, texts = compiled_in(paths, project)
    broken = [result for result in unsound(compiled, texts) if _is_named(result.scenario, named)]
    told = {problem.span for result in broken for problem in result.problems}
    errors = [p for p in compiled.problems if p.severity == "error" and p.span.file in texts]
    mistakes = [p for p in errors if p.span not in told]
    scenarios = [s for s in compiled.scenarios if s.span.file in texts and _is_named(s, named)]
    if named is not None and not (broken or scenarios or mistakes):
        way_out = "`winback test` without -k names them all."
        fail("-k", f"No scenario has `{named}` in its name or in its playbook's.", way_out, USED_WRONGLY)
    stage, now = bench(home, compiled), datetime.now(UTC)
    results: list[Result] = []
    for result in broken:
        results.append(result)
        if not as_json:
            _tell(result)
    try:
        for scenario in scenarios:
            results.append(play(stage, scenario, now=now, timeline=timeline))
            if not as_json:
                _tell(results[-1])
    finally:
        stage.close()
    found = coverage(compiled, results, _names(compiled, texts)) if named is None else None
    if as_json:
        print_json(_json(results, mistakes, found))
    else:
        _sum_up(results, mistakes, texts, found)
    if mistakes or any(not result.ok for result in results):
        sys.exit(PROBLEMS)


def _is_named(scenario: Scenario, named: str | None) -> bool:
    return named is None or named.lower() in f"{scenario.playbook} {scenario.name}".lower()


def _names(compiled: Compiled, texts: dict[str, str]) -> list[str]:
    """The playbooks that stand in the files that were asked for."""
    from dsl import syntax

    return [
        node.name.text
        for file in compiled.files
        if file.path in texts
        for node in file.declarations
        if isinstance(node, syntax.Playbook)
    ]


# ── For people ────────────────────────────────────────────────────────────────────────────────────────────────────────
def _tell(result: Result) -> None:
    scenario = result.scenario
    mark = ("✓", "bold green") if result.ok else ("✗", "bold red")
    OUT.print(Text.assemble(mark, f" {scenario.name}", (f"  {scenario.playbook}", "dim")), soft_wrap=True)
    if result.ok and result.idle:
        OUT.print(Text("    The person never entered. If that is meant, write `expect no enter`.", style="yellow"))
    for problem in result.problems:
        OUT.print()
        place = f"    {problem.span.file}:{problem.span.line}"
        OUT.print(Text.assemble((place, "bold"), f"  {problem.text}" if problem.text else ""), soft_wrap=True)
        OUT.print(Text(f"      {problem.told}", style="red"), soft_wrap=True)
        if problem.hint:
            OUT.print(Text(f"      Hint: {problem.hint}", style="cyan"), soft_wrap=True)
    if result.timeline:
        OUT.print()
        for line in _lines(result.timeline):
            OUT.print(Text(f"    {line}", style="dim"), soft_wrap=True)
    if result.problems or result.timeline:
        OUT.print()


def report(result: Result) -> str:
    """What is wrong with a scenario, as a plain text of several lines."""
    told = []
    for problem in result.problems:
        told.append(f"{problem.span.file}:{problem.span.line}  {problem.text}".rstrip())
        told.append(f"  {problem.told}")
        if problem.hint:
            told.append(f"  Hint: {problem.hint}")
    return "\n".join([*told, *([""] if result.timeline else []), *_lines(result.timeline)])


def _lines(timeline: tuple[Line, ...]) -> list[str]:
    """`+1 day 2 hours   Wed 04 Mar 14:00   send email cart_reminder`; what happens together is said once."""
    rows: list[tuple[str, str, str]] = []
    before = None
    for line in timeline:
        again = line.at == before
        rows.append(("" if again else since(line.since), "" if again else f"{line.local:%a %d %b %H:%M}", line.text))
        before = line.at
    wide = max((len(row[0]) for row in rows), default=0)
    return [f"{row[0]:>{wide}}   {row[1]:<16}   {row[2]}" for row in rows]


def since(length: timedelta) -> str:
    """`start`, `+3 days 22 h`, `−15 min`: how long after the scenario's start."""
    minutes = abs(length) // timedelta(minutes=1)
    if not minutes:
        return "start"
    days, rest = divmod(minutes, 1440)
    hours, minutes = divmod(rest, 60)
    parts = [plural(days, "day")] * bool(days) + [f"{hours} h"] * bool(hours) + [f"{minutes} min"] * bool(minutes)
    return ("−" if length < timedelta() else "+") + " ".join(parts[:2])


def _sum_up(results: list[Result], mistakes: list[Diagnostic], texts: dict[str, str], found: Coverage | None) -> None:
    from cli.check import tell

    if mistakes:
        tell(mistakes, texts)
    if found is not None and found.uncovered:
        OUT.print()
        OUT.print(Text("No scenario comes by:", style="yellow"))
        wide = max(len(f"{each.span.file}:{each.span.line}") for each in found.uncovered)
        for each in found.uncovered:
            OUT.print(Text(f"  {f'{each.span.file}:{each.span.line}':<{wide}}  {each.text}"), soft_wrap=True)
    failed = sum(not result.ok for result in results)
    seconds = sum(result.seconds for result in results)
    told = f"{plural(len(results) - failed, 'scenario')} passed" + (f", {failed:,} failed" if failed else "")
    covers = f", {found.percent:.0f}% of the branches and steps covered" if found is not None and found.lines else ""
    if mistakes:
        told += f", {plural(len(mistakes), 'mistake')} in the playbooks"
    if not results and not mistakes:
        OUT.print("There are no scenarios here. A playbook's test begins with a line like:")
        OUT.print('  scenario "buying stops the series" for abandoned_cart:')
        return
    mark = "[bold red]✗[/]" if failed or mistakes else "[bold green]✓[/]"
    (ERROR if mistakes else OUT).print(f"{mark} {told}{covers} ({seconds:.1f} s).", soft_wrap=True)


# ── For programs ──────────────────────────────────────────────────────────────────────────────────────────────────────
def _json(results: list[Result], mistakes: list[Diagnostic], found: Coverage | None) -> dict[str, Any]:
    from cli.check import as_dict

    return {
        "passed": sum(result.ok for result in results),
        "failed": sum(not result.ok for result in results),
        "scenarios": [_scenario(result) for result in results],
        "uncovered": [
            {"file": each.span.file, "line": each.span.line, "playbook": each.playbook, "kind": each.kind,
             "text": each.text}
            for each in (found.uncovered if found else ())
        ],
        "coverage": None if found is None else round(found.percent, 1),
        "mistakes": [as_dict(problem) for problem in mistakes],
    }  # fmt: skip


def _scenario(result: Result) -> dict[str, Any]:
    scenario = result.scenario
    return {
        "name": scenario.name,
        "playbook": scenario.playbook,
        "file": scenario.span.file,
        "line": scenario.span.line,
        "passed": result.ok,
        "problems": [
            {"file": p.span.file, "line": p.span.line, "column": p.span.column, "expected": p.text,
             "message": p.told, "hint": p.hint}
            for p in result.problems
        ],
        "timeline": [
            {"at": line.at.isoformat(), "seconds": int(line.since.total_seconds()), "local": line.local.isoformat(),
             "what": line.text}
            for line in result.timeline
        ],
        "entered_as_meant": not result.idle,
        "runs": result.runs,
        "seconds": round(result.seconds, 3),
    }  # fmt: skip
