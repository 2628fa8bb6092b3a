"""`winback lsp`: the language server, for editors."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dsl.catalog import Catalog
from dsl.types import Type

if TYPE_CHECKING:
    from flows.project import Project

_MOST_BESIDE = 200
"""Playbooks beside a file outside of any project that are read with it."""


def register(app: typer.Typer) -> None:
    app.command("lsp")(lsp)


def lsp(
    stdio: Annotated[bool, typer.Option("--stdio", hidden=True)] = False,  # noqa: ARG001  many editors add it
) -> None:
    """Help an editor with playbooks: mistakes while you type, completion, hovers, renaming. Editors start it."""
    import sys
    from importlib.metadata import PackageNotFoundError, version

    from cli.console import ERROR
    from dsl.lsp.desk import Services
    from dsl.lsp.server import serve

    try:
        number = version("winback")
    except PackageNotFoundError:
        number = "0"
    if sys.stdin.isatty():
        ERROR.print("An editor starts this and talks to it here. editors/vscode/README.md says how; Ctrl-C ends it.")
    serve(Services(home=home, sources=sources, catalog=catalog, version=number))


def home(path: Path) -> Path:
    """The folder of the project that holds a file; the file's own folder when there is none."""
    from flows import settings

    return settings.find(path.parent) or path.parent


def sources(folder: Path) -> Mapping[str, str]:
    """The playbooks of a project by their paths in it; outside of a project, those in the same folder."""
    from flows import project, settings

    if (folder / settings.FILE).is_file():
        playbooks = folder / "playbooks"
        return project.sources([playbooks], folder) if playbooks.is_dir() else {}
    return project.sources(sorted(folder.glob("*.playbook"))[:_MOST_BESIDE], folder)


def catalog(folder: Path) -> Catalog:
    """The names that the playbooks of a folder may use. Nothing is written, and no store is made, changed or locked."""
    from flows import settings
    from flows.project import Project

    told = settings.read(folder)
    known = _catalog(folder, told.shop.currency, _fingerprint(folder / "templates"))
    return known.with_events(_seen(Project(folder=folder, settings=told)))


@lru_cache(maxsize=8)
def _catalog(folder: Path, currency: str, _: tuple[tuple[str, int, int], ...]) -> Catalog:
    """Templates are read anew only when one of them has changed."""
    from connectors.templates import load_templates
    from dsl.standard import standard_catalog
    from flows import settings

    templates = folder / "templates"
    if templates.is_dir():
        return standard_catalog(currency=currency, templates=load_templates(templates).describe())
    # A file that belongs to no project may be sent from anywhere: its templates are not to be told as missing.
    return standard_catalog(currency=currency, templates={} if (folder / settings.FILE).is_file() else None)


def _fingerprint(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """Every file below a folder with its time and size."""
    found = []
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            about = path.stat()
            found.append((str(path.relative_to(folder)), about.st_mtime_ns, about.st_size))
    return tuple(found)


def _seen(project: Project) -> Mapping[str, Mapping[str, Type]]:
    """The events that the store has seen; none when it cannot be read without leaving a trace."""
    import sqlite3

    from sqlalchemy.exc import SQLAlchemyError

    from profiles.seen import seen_events
    from store.glance import glance

    if not project.has_store():
        return {}
    try:
        with glance(project.store_url) as connection:
            return seen_events(connection)
    except (SQLAlchemyError, sqlite3.Error):
        return {}
