"""`winback explain`: a playbook's steps, the SQL of each, and how the store answers it; or what a code means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from cli.console import OUT, Json, ProjectFolder, moment, print_json, say

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection, Select

    from dsl.plan import Audience, Plan
    from flows.project import Project


def register(app: typer.Typer) -> None:
    app.command("explain")(explain)


def explain(
    playbook: Annotated[
        str, typer.Argument(help="The name of a playbook or an audience, or the code of a message, such as WB203.")
    ],
    as_of: Annotated[str | None, typer.Option(help="As if it were this time.")] = None,
    as_json: Json = False,
    project: ProjectFolder = None,
) -> None:
    """Show the steps of a playbook or the rules of an audience, the SQL that each condition becomes, and the store's
    query plan; or what a message's code means. Reads only."""
    from cli.mistakes import explain_code, is_code

    if is_code(playbook):
        explain_code(playbook, as_json=as_json)
        return
    from cli.reading import chosen
    from dsl.outline import outline
    from flows.explained import questions
    from flows.project import open_project
    from store.engine import read

    opened = open_project(project)
    at, currency = moment(as_of, opened.settings.shop.time_zone), opened.settings.shop.currency
    audience = opened.compiled.audiences.get(playbook)
    if audience is not None and playbook not in opened.compiled.plans:
        _explain_audience(audience, opened, at, as_json=as_json)
        return
    one = chosen(opened, [playbook], audiences=True)[0]
    asked = questions(one, opened, at)
    with read(opened.engine) as connection:
        told = [(name, sql(connection, query), answered(connection, query)) for name, query in asked]
    if as_json:
        steps = [{"id": line.id, "depth": line.depth, "text": line.text} for line in outline(one, currency)]
        conditions = [{"name": name, "sql": text, "query_plan": how} for name, text, how in told]
        print_json({"name": one.name, "version": one.digest, "steps": steps, "conditions": conditions,
                    "plan": one.to_json()})  # fmt: skip
        return
    tell(one, currency, told)


def tell(one: Plan, currency: str, told: list[tuple[str, str, list[str]]]) -> None:
    """The steps, then each condition as SQL."""
    from dsl.outline import outline, settings

    OUT.print(Text.assemble((one.name, "bold"), ("  version ", "dim"), one.digest))
    for line in settings(one, currency):
        say(Text(line, style="dim"), indent=2, hanging=4)
    for step in outline(one, currency):
        line_told = Text.assemble(step.text, (f"   {step.id}" if step.way is None else "", "dim"))
        say(line_told, indent=2 * (step.depth + 1), hanging=4)
    show(told)


def _explain_audience(audience: Audience, project: Project, at: datetime, *, as_json: bool) -> None:
    from dsl.outline import rules
    from flows.explained import members
    from store.engine import read

    lines = rules(audience, project.settings.shop.currency)
    asked = members(audience, project, at)
    with read(project.engine) as connection:
        told = [(name, sql(connection, query), answered(connection, query)) for name, query in asked]
    if as_json:
        conditions = [{"name": name, "sql": text, "query_plan": how} for name, text, how in told]
        print_json({"name": audience.name, "connector": audience.connector, "lines": lines, "conditions": conditions})
        return
    OUT.print(Text.assemble((audience.name, "bold"), ("  audience on ", "dim"), audience.connector))
    for line in lines:
        say(Text(line), indent=2, hanging=4)
    show(told)


def show(told: list[tuple[str, str, list[str]]]) -> None:
    """Each condition as SQL, and how the store answers it."""
    from rich.syntax import Syntax

    for name, text, how in told:
        OUT.print(f"\n[bold]{name}[/]")
        OUT.print(Syntax(text, "sql", background_color="default", word_wrap=True))
        for line in how:
            say(Text(line, style="dim"), indent=2, hanging=4)


def sql(connection: Connection, query: Select[Any]) -> str:
    """The query as text with its values put in, for reading."""
    return str(query.compile(connection, compile_kwargs={"literal_binds": True}))


def answered(connection: Connection, query: Select[Any]) -> list[str]:
    """The store's own query plan, a line a step."""
    sqlite = connection.dialect.name == "sqlite"
    rows = connection.exec_driver_sql(
        ("EXPLAIN QUERY PLAN " if sqlite else "EXPLAIN ") + sql(connection, query).replace("%", "%%")
    )
    return [str(row[-1]) for row in rows]
