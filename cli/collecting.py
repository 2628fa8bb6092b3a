"""The pytest plugin: each scenario of a `*.playbook` file in a project is a test of its own.

Only files below a folder with `winback.toml` are collected. Importing this file loads nothing of winback: pytest
loads it in every environment that has winback installed.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from flows.scenario.play import Result

FILE = "winback.toml"


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """A playbook file of a project, to be collected."""
    if file_path.suffix != ".playbook" or not any((folder / FILE).is_file() for folder in file_path.parents):
        return None
    collected: PlaybookFile = PlaybookFile.from_parent(parent, path=file_path)
    return collected


class NotMet(Exception):  # noqa: N818  it says what happened
    """A scenario that fails."""

    def __init__(self, result: Result) -> None:
        super().__init__(result.scenario.name)
        self.result = result


class PlaybookFile(pytest.File):
    """A file with scenarios."""

    stage: Any = None

    def teardown(self) -> None:
        """Give the store in memory back."""
        if self.stage is not None:
            self.stage.close()

    def collect(self) -> Iterator[pytest.Item]:
        """The scenarios of the file, those with mistakes too. A file without any has no tests."""
        from cli.reading import compiled_in
        from flows.scenario.play import unsound
        from flows.scenario.world import bench

        project, compiled, texts = compiled_in([self.path], None)
        for result in unsound(compiled, texts):
            yield ScenarioItem.from_parent(self, name=result.scenario.name, run=lambda result=result: result)
        mine = [scenario for scenario in compiled.scenarios if scenario.span.file in texts]
        if not mine:
            return
        stage = bench(project, compiled)
        self.stage = stage
        for scenario in mine:
            yield ScenarioItem.from_parent(
                self, name=scenario.name, run=lambda scenario=scenario: _play(stage, scenario)
            )


def _play(stage: Any, scenario: Any) -> Result:
    from datetime import UTC, datetime

    from flows.scenario.play import play

    return play(stage, scenario, now=datetime.now(UTC))


class ScenarioItem(pytest.Item):
    """One scenario."""

    def __init__(self, *, run: Any, **more: Any) -> None:
        super().__init__(**more)
        self.run = run

    def runtest(self) -> None:
        """Play it. Raises NotMet."""
        result = self.run()
        if not result.ok:
            raise NotMet(result)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The lines that were not met, what happened instead, and the person's timeline."""
        if not isinstance(excinfo.value, NotMet):
            return super().repr_failure(excinfo, style)
        from cli.test import report

        return report(excinfo.value.result)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Where it stands, and how it is called."""
        return self.path, None, f"scenario: {self.name}"
