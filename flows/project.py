"""A project: a folder with `winback.toml`, its playbooks, its templates and its store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from dsl.catalog import Catalog
from dsl.compile import Compiled, compile_sources
from dsl.parser import LARGEST_FILE
from dsl.standard import standard_catalog
from flows import settings as settings_file
from flows.settings import Settings, SettingsError

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from connectors.templates import TemplateSet
    from profiles.ingest import Rules


@dataclass(frozen=True)
class Project:
    """`folder` is absolute. What costs time is made at its first use and kept."""

    folder: Path
    settings: Settings

    @cached_property
    def secret(self) -> bytes:
        return settings_file.secret(self.folder, self.settings)

    @property
    def playbooks(self) -> Path:
        return self.folder / "playbooks"

    @cached_property
    def templates(self) -> TemplateSet:
        from connectors.templates import load_templates

        return load_templates(self.folder / "templates")

    @property
    def store_url(self) -> str:
        """The store's URL, a relative SQLite path made absolute."""
        url = self.settings.store
        scheme, _, path = url.partition(":///")
        if scheme.startswith("sqlite") and path and not path.startswith(("/", "file:")) and path != ":memory:":
            return f"{scheme}:///{self.folder / path}"
        return url

    def has_store(self) -> bool:
        """False for a SQLite file that is not there yet."""
        scheme, _, path = self.store_url.partition(":///")
        return not scheme.startswith("sqlite") or Path(path.partition("?")[0].removeprefix("file:")).exists()

    @cached_property
    def engine(self) -> Engine:
        """The store, brought to the newest schema. Raises StoreError."""
        from store.engine import open_store
        from store.errors import explained
        from store.home import settle_in
        from store.keys import check_key
        from store.migrations import upgrade

        with explained(self.store_url):
            engine = open_store(self.store_url)
            upgrade(engine)
            check_key(engine, self.secret)
            settle_in(engine)
        return engine

    @property
    def rules(self) -> Rules:
        """What ingestion goes by."""
        from profiles.ingest import Rules

        shop = self.settings.shop
        return Rules(currency=shop.currency, zone=shop.time_zone, hash_key=self.secret, default_region=shop.country)

    @cached_property
    def catalog(self) -> Catalog:
        """The standard names, the project's templates, and the events that the store has seen."""
        described = self.templates.describe() if (self.folder / "templates").is_dir() else {}
        catalog = standard_catalog(currency=self.settings.shop.currency, templates=described)
        if self.has_store():
            from profiles.seen import seen_events
            from store.engine import read

            with read(self.engine) as connection:
                catalog = catalog.with_events(seen_events(connection))
        return catalog

    @cached_property
    def compiled(self) -> Compiled:
        """All playbooks of the project."""
        return self.compile(sources([self.playbooks], self.folder))

    def compile(self, texts: Mapping[str, str]) -> Compiled:
        """Playbook texts by path, with the project's names."""
        return compile_sources(texts, self.catalog)


def open_project(start: Path | None = None) -> Project:
    """The project that holds `start` (default: the working folder). Raises SettingsError if there is none."""
    here = (start or Path.cwd()).absolute()
    if not here.is_dir():
        raise SettingsError(str(start), "There is no such folder.", "`winback init` makes a project.")
    folder = settings_file.find(here)
    if folder is None:
        raise SettingsError(
            str(here),
            f"There is no {settings_file.FILE} here or in a folder above.",
            "`winback init` makes a project, `winback demo` a whole small shop.",
        )
    return Project(folder=folder, settings=settings_file.read(folder))


def sources(paths: Sequence[Path], relative_to: Path) -> dict[str, str]:
    """The playbook files among and below `paths`, name to text. Raises SettingsError for a path that cannot be read."""
    found: dict[str, str] = {}
    for path in paths:
        if not path.exists():
            raise SettingsError(str(path), "There is no such file or folder.", "Playbooks end in `.playbook`.")
        files = sorted(path.rglob("*.playbook")) if path.is_dir() else [path]
        for file in files:
            absolute = file.absolute()
            name = str(absolute.relative_to(relative_to) if absolute.is_relative_to(relative_to) else file)
            found[name] = _text(file)
    return found


def _text(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            # One byte more than may be, so that the parser sees that there is too much and says so.
            raw = opened.read(LARGEST_FILE + 1)
        return raw.decode("utf-8-sig", errors="strict" if len(raw) <= LARGEST_FILE else "ignore")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise SettingsError(f"{file}:{line}", "This file is not UTF-8 text.", "Save it as UTF-8.") from None
    except OSError as error:
        raise SettingsError(
            str(file), f"It cannot be read: {error.strerror}.", "See that it is a file that you may read."
        ) from None
