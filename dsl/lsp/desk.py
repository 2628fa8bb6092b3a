"""The projects that are open in an editor: what is on the disk, what is in the editor, and what came of compiling it.

Reading is done by `Services`, so that nothing here knows of settings, templates or stores.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dsl.catalog import Catalog
from dsl.compile import compile_sources
from dsl.diagnostics import Diagnostic
from dsl.lsp.project import Project
from dsl.standard import standard_catalog

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What the program around the server knows of projects. Each may raise; the reason is shown to the reader."""

    home: Callable[[Path], Path]
    """The folder of the project that a file belongs to; the file's own folder when it belongs to none."""
    sources: Callable[[Path], Mapping[str, str]]
    """The playbooks of a project by their paths, counted from its folder."""
    catalog: Callable[[Path], Catalog]
    """The names that a project's playbooks may use. It is asked often, and must not change or lock anything."""
    version: str
    """Of the program, for the editor's logs."""


@dataclass(slots=True, kw_only=True)
class Desk:
    """One project in the editor. `folder` None: a text that is in no file yet."""

    folder: Path | None
    services: Services
    disk: Mapping[str, str] = field(default_factory=dict)
    buffers: dict[str, str] = field(default_factory=dict)
    """The texts that are open in the editor, by path."""
    problems: tuple[Diagnostic, ...] = ()
    troubles: tuple[str, ...] = ()
    """Why something of the project could not be read, in sentences."""
    _catalog: Catalog | None = None
    _declared: Catalog | None = None
    _project: Project | None = None
    _changes: int = 0
    """Counts what was written and read anew, so that the same texts are compiled once."""
    _compiled: int = -1

    def refresh(self) -> None:
        """Reads anew what is on the disk. What cannot be read is told in `troubles`, and the rest goes on."""
        troubles: list[str] = []
        self._catalog = standard_catalog()
        if self.folder is not None:
            try:
                self._catalog = self.services.catalog(self.folder)
            except Exception as error:
                troubles.append(_told(error))
            try:
                self.disk = dict(self.services.sources(self.folder))
            except Exception as error:
                troubles.append(_told(error))
        self.troubles = tuple(dict.fromkeys(troubles))
        self._declared = self._project = None
        self._changes += 1

    def write(self, path: str, text: str | None) -> None:
        """Takes over what is in the editor; None: the text was closed there."""
        if text is None:
            self.buffers.pop(path, None)
        else:
            self.buffers[path] = text
        self._project = None
        self._changes += 1

    @property
    def sources(self) -> dict[str, str]:
        """All texts; an open one in place of what is on the disk."""
        return {**self.disk, **self.buffers}

    @property
    def project(self) -> Project:
        """The project as of now. Names that were declared since the last `compile` are not in its catalog yet."""
        if self._catalog is None:
            self.refresh()
        known = self._project  # held, for a thread that compiles may take it away
        if known is None:
            known = Project(sources=self.sources, catalog=self._declared or self._catalog or standard_catalog())
            self._project = known
        return known

    def compile(self) -> tuple[Diagnostic, ...]:
        """Everything that is wrong with the project, by file and place."""
        if self._catalog is None:
            self.refresh()
        now = self._changes
        if self._compiled == now:
            return self.problems
        texts = self.sources
        try:
            compiled = compile_sources(texts, self._catalog or standard_catalog())
        except Exception:  # a mistake of the compiler must not take the editor's other help away
            _LOG.exception("The playbooks could not be compiled.")
            return self.problems
        if now >= self._compiled:  # else a later text was quicker
            self._declared, self._project = compiled.catalog, None
            self.problems, self._compiled = compiled.problems, now
        return compiled.problems


def _told(error: Exception) -> str:
    """A message that a reader can act on; one line."""
    return " ".join(str(error).split()) or type(error).__name__
