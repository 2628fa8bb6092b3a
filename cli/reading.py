"""What several commands begin with: the playbooks that were named, compiled."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cli.console import PROBLEMS, USED_WRONGLY, fail, plural
from dsl.compile import Compiled
from flows import settings
from flows.project import Project, open_project, sources

if TYPE_CHECKING:
    from dsl.plan import Plan


def compiled(paths: Sequence[Path] | None, folder: Path | None) -> tuple[Compiled, dict[str, str]]:
    """The playbooks at `paths` (default: the project's) with all others of their project, and the texts asked for.

    Files outside a project are checked too, against templates that lie beside them.
    """
    start = folder or (paths[0] if paths else Path.cwd())
    home = settings.find(start.absolute())
    if home is None:
        if not paths:
            open_project(start)
        beside = paths[0].absolute() if paths[0].is_dir() else paths[0].absolute().parent  # type: ignore[index]
        project = Project(folder=beside, settings=settings.read(beside))
    else:
        project = open_project(home)
    asked = sources(list(paths) if paths else [project.playbooks], project.folder)
    if not asked:
        fail(
            "there is no playbook here.\nHint: Playbooks end in `.playbook`; `winback init` makes a first one.",
            USED_WRONGLY,
        )
    around = sources([project.playbooks], project.folder) if home and project.playbooks.is_dir() else {}
    return project.compile({**around, **asked}), asked


def chosen(project: Project, names: Sequence[str]) -> list[Plan]:
    """The plans of the playbooks with these names (default: all). Mistakes in any file end the command: nothing that is
    half understood may send."""
    from cli.check import tell

    result = project.compiled
    errors = [p for p in result.problems if p.severity == "error"]
    if errors:
        tell(errors, sources([project.playbooks], project.folder))
        fail(f"{plural(len(errors), 'mistake')} in the playbooks; nothing was run.", PROBLEMS)
    unknown = [name for name in names if name not in result.plans]
    if unknown:
        have = ", ".join(sorted(result.plans)) or "none"
        fail(f"there is no playbook called `{unknown[0]}`.\nHint: The project has: {have}.", USED_WRONGLY)
    if not result.plans:
        fail(f"{project.playbooks}: there is no playbook here.\nHint: Playbooks end in `.playbook`.", USED_WRONGLY)
    return [result.plans[name] for name in (names or sorted(result.plans))]
