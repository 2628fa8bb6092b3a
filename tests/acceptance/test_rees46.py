"""Real shop events: what the product finds is what a script finds that shares no code with it."""

from __future__ import annotations

import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest

from tests.acceptance.independent_carts import abandoned, carts
from tests.acceptance.project import ROOT, SHARED, project

FILE = SHARED / "rees46" / "2019-Oct-first17434.csv"
PLAYBOOK = """
playbook carts:
  about "Everybody with an abandoned cart."
  start when cart.updated_at is more than 24 hours ago
    and cart.updated_at is in the last 7 days
    and cart.total > $0
  enter once
  send email hello
"""
INSTANTS = ("2019-10-02T02:25:00", "2019-10-02T02:40:00", "2019-10-02T03:00:00")

pytestmark = pytest.mark.skipif(not FILE.exists(), reason="needs the REES46 events, which are no part of the project")


def test_the_same_carts_are_abandoned_at_three_instants(tmp_path: Path) -> None:
    shop = project(tmp_path, PLAYBOOK)
    calls = tmp_path / "calls.jsonl"
    subprocess.run([sys.executable, str(ROOT / "tests/convert/rees46.py"), str(FILE), str(calls)], check=True)
    done = shop.winback("import", str(calls), "--json").json
    assert done["rejected"] == 0 and done["imported"] == done["read"] > 17_000
    found = carts(FILE)
    expected = [abandoned(found, datetime.fromisoformat(at)) for at in INSTANTS]
    planned = [shop.winback("plan", "--as-of", f"{at}+00:00", "--json").json for at in INSTANTS]
    assert [plan["playbooks"][0]["enters"] for plan in planned] == expected
    assert len(set(expected)) == 3, "three instants that say the same would show little"
    # Everybody in the file has consented, so everybody who enters would be sent the e-mail.
    assert [plan["playbooks"][0]["sends"][0]["people"] for plan in planned] == expected


def test_importing_again_changes_nothing(tmp_path: Path) -> None:
    shop = project(tmp_path, PLAYBOOK)
    calls = tmp_path / "calls.jsonl"
    subprocess.run([sys.executable, str(ROOT / "tests/convert/rees46.py"), str(FILE), str(calls)], check=True)
    first = shop.winback("import", str(calls), "--json").json
    again = shop.winback("import", str(calls), "--restart", "--json").json
    assert again["imported"] == 0 and again["duplicates"] == first["imported"] and again["read"] == first["read"]
