"""A backtest over real shop events counts, day by day, what a script counts that shares no code with the product."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest

from tests.acceptance.independent_backtest import played, stretched
from tests.acceptance.project import ROOT, SHARED, project

FILE = SHARED / "rees46" / "2019-Oct-first17434.csv"
STRETCH = 240
"""The file's three hours become four weeks: carts in it are left for days."""
START, END = datetime(2019, 10, 22), datetime(2019, 10, 29)  # noqa: DTZ001  UTC, as the script counts
PLAYBOOK = """
playbook carts:
  run every 1 hour
  start when cart.updated_at is more than 24 hours ago
    and cart.updated_at is in the last 7 days
    and cart.total > $0
  enter once
  leave on order_completed
  goal order_completed within 7 days
  send email hello
  wait 24 hours
  send email hello
"""

pytestmark = pytest.mark.skipif(not FILE.exists(), reason="needs the REES46 events, which are no part of the project")


def test_every_day_is_as_an_independent_script_counts_it(tmp_path: Path) -> None:
    shop = project(tmp_path, PLAYBOOK)
    calls, slower = tmp_path / "calls.jsonl", tmp_path / "slower.jsonl"
    subprocess.run([sys.executable, str(ROOT / "tests/convert/rees46.py"), str(FILE), str(calls)], check=True)
    with slower.open("w") as file:
        for line in calls.open():
            call = json.loads(line)
            at = stretched(call["timestamp"].replace("T", " ").replace("Z", " UTC"), STRETCH)
            file.write(json.dumps({**call, "timestamp": f"{at.isoformat()}Z"}) + "\n")
    assert shop.winback("import", str(slower), "--json").json["rejected"] == 0
    told = shop.winback("backtest", "carts", "--from", START.isoformat(), "--to", END.isoformat(), "--json").json
    found = {
        day["day"]: (day["entered"], day["sent"], day["converted"])
        for day in told["playbooks"][0]["days"]
        if day["entered"] or day["sent"] or day["converted"]
    }
    expected = {day.isoformat(): numbers for day, numbers in played(FILE, STRETCH, START, END).items()}
    assert found == expected
    sums = [sum(numbers) for numbers in zip(*expected.values(), strict=True)]
    assert len(expected) > 3 and min(sums) > 3 and sums[0] < sums[1] < 2 * sums[0], (
        "a day that says little shows little"
    )
