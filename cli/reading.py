"""What several commands begin with: the playbooks that were named, compiled."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from cli.console import PROBLEMS, USED_WRONGLY, fail, plural, shown
from dsl.compile import Compiled
from dsl.suggest import did_you_mean
from flows import settings
from flows.project import Project, open_project, sources

if TYPE_CHECKING:
    from dsl.plan import Audience, Plan


def compiled(paths: Sequence[Path] | None, folder: Path | None) -> tuple[Compiled, dict[str, str]]:
    """The playbooks at `paths` (default: the project's) with all others of their project, and the texts asked for.

    Files outside a project are checked too, against templates that lie beside them.
    """
    _, result, asked = compiled_in(paths, folder)
    return result, asked


def compiled_in(paths: Sequence[Path] | None, folder: Path | None) -> tuple[Project, Compiled, dict[str, str]]:
    """As `compiled`, with the project, or what stands for one."""
    start = folder or (paths[0] if paths else Path.cwd())
    home = settings.find(start.absolute())
    if folder or (home is None and not paths):
        home = open_project(start).folder  # or a good reason why not
    if home is None:
        beside = paths[0].absolute() if paths[0].is_dir() else paths[0].absolute().parent  # type: ignore[index]
        project = Project(folder=beside, settings=settings.read(beside))
    else:
        project = open_project(home)
    asked = sources(list(paths) if paths else [project.playbooks], project.folder)
    if not asked:
        way_out = "Playbooks end in `.playbook`; `winback init` makes a first one."
        fail(shown(paths[0] if paths else project.playbooks), "There is no playbook here.", way_out, USED_WRONGLY)
    around = sources([project.playbooks], project.folder) if home and project.playbooks.is_dir() else {}
    return project, project.compile({**around, **asked}), asked


def not_known(name: str, result: Compiled, *, audiences: bool) -> NoReturn:
    """End the command, which takes the names of playbooks (and of audiences), at a name that is neither."""
    playbooks, lists = sorted(result.plans), sorted(result.audiences) if audiences else []
    if not audiences and name in result.audiences:
        way_out = f"`winback run {name}` brings it up to date, and `winback explain {name}` shows its rules."
        fail(name, "This is an audience, and no playbook.", way_out, USED_WRONGLY)
    have = f"The project has: {', '.join(playbooks) or 'none'}" + (f"; audiences: {', '.join(lists)}" if lists else "")
    meant = did_you_mean(name, [*playbooks, *lists])
    kinds = "playbook or audience" if lists else "playbook"
    fail(name, f"There is no {kinds} of this name.", f"{meant} {have}." if meant else f"{have}.", USED_WRONGLY)


def chosen(project: Project, names: Sequence[str], *, audiences: bool = False) -> list[Plan]:
    """The plans of the playbooks with these names (default: all). Mistakes in any file end the command: nothing that is
    half understood may send. `audiences`: whether the command would have taken the name of one, too."""
    result = _sound(project)
    unknown = [name for name in names if name not in result.plans]
    if unknown:
        not_known(unknown[0], result, audiences=audiences)
    if not result.plans:
        fail(shown(project.playbooks), "There is no playbook here.", "Playbooks end in `.playbook`.", USED_WRONGLY)
    return [result.plans[name] for name in (names or sorted(result.plans))]


def chosen_with_audiences(project: Project, names: Sequence[str]) -> tuple[list[Plan], list[Audience]]:
    """As `chosen`, where a name may also be that of an audience. Default: all playbooks and no audience, or where there
    is no playbook all audiences."""
    result = _sound(project)
    if not names and not result.plans:
        names = sorted(result.audiences)
    audiences = [result.audiences[name] for name in names if name not in result.plans and name in result.audiences]
    others = [name for name in names if name not in {audience.name for audience in audiences}]
    return [] if audiences and not others else chosen(project, others, audiences=True), audiences


def _sound(project: Project) -> Compiled:
    """The project's playbooks without a mistake."""
    from cli.check import tell

    result = project.compiled
    if errors := [p for p in result.problems if p.severity == "error"]:
        tell(errors, sources([project.playbooks], project.folder))
        reason = f"{plural(len(errors), 'mistake')} in the playbooks: nothing was run."
        fail(shown(project.playbooks), reason, "`winback check` tells them too.", PROBLEMS)
    return result
