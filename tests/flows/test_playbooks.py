"""Flows by the names of the playbooks, as a worker asks for them."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows import playbooks
from flows.local import Server

pytestmark = pytest.mark.prefect

PLAYBOOK = """playbook come_back:
  about "A test."
  start on product_added
  enter once

  wait 1 day
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: Server) -> Path:  # noqa: ARG001  quiet Prefect
    (tmp_path / "winback.toml").write_text('[shop]\nname = "A shop"\n')
    (tmp_path / "playbooks").mkdir()
    (tmp_path / "playbooks" / "come_back.playbook").write_text(PLAYBOOK)
    monkeypatch.setenv("WINBACK_PROJECT", str(tmp_path))
    return tmp_path


@pytest.mark.usefixtures("folder")
def test_a_playbook_is_a_flow_of_this_module() -> None:
    flow = playbooks.come_back
    assert flow.name == "come_back"
    assert (flow.fn.__module__, flow.fn.__name__) == ("flows.playbooks", "come_back")
    assert "about" in str(flow.description)


@pytest.mark.usefixtures("folder")
def test_prefect_finds_it_by_its_entrypoint() -> None:
    from prefect.flows import load_flow_from_entrypoint

    assert load_flow_from_entrypoint("flows.playbooks.come_back", use_placeholder_flow=False).name == "come_back"


def test_what_is_not_there_is_told(folder: Path) -> None:
    with pytest.raises(
        AttributeError, match=r"no playbook 'nothing' without mistakes \(those that it has: come_back\)"
    ):
        playbooks.nothing  # noqa: B018
    (folder / "winback.toml").unlink()
    with pytest.raises(AttributeError, match="`winback init` makes a project"):
        playbooks.come_back  # noqa: B018
