"""docs/importing.md: what it shows is imported here as it stands."""

from __future__ import annotations

import json
import re
from pathlib import Path

from profiles.mapping import _KEYS
from tests.cli.conftest import Winback

TEXT = (Path(__file__).parents[2] / "docs" / "importing.md").read_text("utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", TEXT, re.DOTALL)


def blocks(kind: str) -> list[str]:
    return [body for name, body in BLOCKS if name == kind]


def test_the_calls_are_all_taken(project: Path, winback: Winback) -> None:
    (calls,) = blocks("jsonl")
    (project / "events.jsonl").write_text(calls)
    told = winback("import", "events.jsonl", "--json").json
    assert (told["read"], told["imported"], told["rejected"]) == (8, 8, 0)
    ada = winback("profile", "show", "u-17", "--json").json
    assert ada["fields"]["orders.value"] == 8000
    assert ada["fields"]["cart.count"] == 0
    names = [event["name"] for event in ada["events"] if event["name"] not in ("alias", "identify")]
    assert names == ["page_viewed", "order_completed", "product_added", "product_viewed"]
    assert [(c["channel"], c["granted"]) for c in winback("profile", "show", "u-18", "--json").json["consents"]] == [
        ("sms", False)
    ]


def test_both_mappings_import_their_files(project: Path, winback: Winback) -> None:
    tables, mappings = blocks("csv"), blocks("toml")
    assert len(tables) == len(mappings) == 2
    for table, mapping in zip(tables, mappings, strict=True):
        (project / "file.csv").write_text(table)
        (project / "map.toml").write_text(mapping)
        told = winback("import", "file.csv", "--map", "map.toml", "--json")
        assert told.code == 0, told.out
        assert told.json["imported"] == len(table.strip().splitlines()) - 1
    buyer = winback("profile", "show", "463240011", "--json").json
    assert [event["name"] for event in buyer["events"]] == ["order_completed", "product_added", "product_viewed"]
    assert (buyer["fields"]["orders.value"], buyer["fields"]["cart.count"]) == (2620, 0)
    ada = winback("profile", "show", "shop-1", "--json").json
    assert ada["fields"]["email"] == "ada@example.com"
    assert ada["custom"] == {"points": 120}
    assert ada["consents"][0] | {"at": ""} == {
        "channel": "email", "topic": "marketing", "granted": True, "source": "shop list", "at": "",
    }  # fmt: skip
    assert ada["consents"][0]["at"].startswith("2024-03-01T11:30")


def test_the_rejected_line_is_told_so(project: Path, winback: Winback) -> None:
    (shown,) = blocks("json")
    row = json.loads(shown)
    (project / "events.jsonl").write_text("\n" + row["text"] + "\n")
    assert winback("import", "events.jsonl").code == 1
    assert json.loads((project / "rejects" / "events.jsonl").read_text()) == row


def test_every_key_of_the_mapping_is_told() -> None:
    assert [key for key in _KEYS if key not in TEXT] == []
