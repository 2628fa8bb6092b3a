"""docs/settings.md against the settings themselves."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, SecretStr

from flows.settings import Settings, read

TEXT = (Path(__file__).parents[2] / "docs" / "settings.md").read_text("utf-8")
ROWS = re.findall(r"^\| `([\w.]+)` \| `(WINBACK_\w+)` \| (.+?) \| (.+?) \| `(.+?)`", TEXT, re.MULTILINE)


def leaves(model: BaseModel, before: str = "") -> dict[str, Any]:
    """Each setting with its default."""
    found: dict[str, Any] = {}
    for name in type(model).model_fields:
        value = getattr(model, name)
        found |= leaves(value, f"{name}.") if isinstance(value, BaseModel) else {f"{before}{name}": value}
    return found


def test_every_setting_is_there_with_its_variable_and_default() -> None:
    defaults = leaves(Settings())
    assert [name for name, *_ in ROWS] == list(defaults)
    for name, variable, default, *_ in ROWS:
        assert variable == "WINBACK_" + name.replace(".", "__").upper()
        told = {"none": None, "empty": ""}.get(default, default.strip("`"))
        assert told == defaults[name]


@pytest.mark.parametrize(("name", "variable", "example"), [(row[0], row[1], row[4]) for row in ROWS])
def test_every_example_is_taken_from_the_environment(name: str, variable: str, example: str, tmp_path: Path) -> None:
    found = leaves(read(tmp_path, {variable: example}))[name]
    assert (found.get_secret_value() if isinstance(found, SecretStr) else found) == example


def test_the_file_is_taken(tmp_path: Path) -> None:
    (text,) = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)
    (tmp_path / "winback.toml").write_text(text)
    settings = read(tmp_path, {})
    assert settings.shop.country == tomllib.loads(text)["shop"]["country"]
    told = {
        f"{k}.{n}" if isinstance(v, dict) else k
        for k, v in tomllib.loads(text).items()
        for n in (v if isinstance(v, dict) else ("",))
    }
    assert told == set(leaves(settings)) - {"secret", "smtp_url"}


def test_the_environment_goes_before_the_file(tmp_path: Path) -> None:
    (tmp_path / "winback.toml").write_text('[shop]\nname = "File"\nurl = "https://file.example"\n')
    shop = read(tmp_path, {"WINBACK_SHOP__NAME": "Environment"}).shop
    assert (shop.name, shop.url) == ("Environment", "https://file.example")


def test_the_shipped_file_is_taken() -> None:
    assert read(Path(__file__).parents[2] / "playbooks", {}).shop.name == "Hill & Harbour"
