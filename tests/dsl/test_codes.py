"""No code is undocumented, untold, untested or missing from the table; docs/errors.md says what the compiler says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cli.mistakes import checked
from docs.errors import PAGE, page
from dsl.codes import CODES, NAMES, SENSE, SYNTAX
from dsl.compile import compile_sources
from dsl.mistakes import mistake
from tests.dsl.chunks import chunks
from tests.dsl.shop import shop

ROOT = Path(__file__).parents[2]
CHUNKS = [
    chunk
    for folder in (ROOT / "tests" / "broken", ROOT / "tests" / "dsl" / "sense")
    for chunk in chunks(folder).values()
]
_CODE = re.compile(r'"(WB\d{3})"')


def named(folder: Path, *, besides: str) -> set[str]:
    """The codes that the modules of a folder name."""
    files = [path for path in folder.rglob("*.py") if path.name != besides]
    return {code for path in files for code in _CODE.findall(path.read_text(encoding="utf-8"))}


def test_the_groups_of_codes_do_not_overlap() -> None:
    assert len(CODES) == len(SYNTAX) + len(NAMES) + len(SENSE)
    assert all(code.startswith("WB1") for code in SYNTAX)
    assert all(code.startswith("WB2") for code in NAMES)
    assert all(code.startswith("WB3") for code in SENSE)


def test_the_compiler_tells_the_codes_of_the_table_and_no_others() -> None:
    assert named(ROOT / "dsl", besides="codes.py") == set(CODES)


def test_every_code_is_told_in_a_test() -> None:
    in_chunks = {code for chunk in CHUNKS for code in chunk.codes}
    assert set(CODES) <= in_chunks | named(ROOT / "tests", besides="test_codes.py")


def test_whatever_is_told_about_the_chunks_is_in_the_table() -> None:
    told = {
        problem.code for chunk in CHUNKS for problem in compile_sources({"p.playbook": chunk.source}, shop()).problems
    }
    assert told <= set(CODES)


def test_every_mistake_is_one_of_the_table() -> None:
    assert {path.stem for path in (ROOT / "dsl" / "mistakes").glob("*.playbook")} == set(CODES)


@pytest.mark.parametrize("code", sorted(CODES))
def test_a_mistake_gives_its_code_and_the_right_way_none(code: str) -> None:
    one = mistake(code)
    told = [problem.code for problem in checked(one.wrong, one.beside)]
    assert set(told) == {code} | ({one.along} if one.along else set()), told
    assert told.count(code) == 1
    assert checked(one.right, one.beside) == ()
    assert one.more.endswith((".", "!")), one.more


def test_the_page_is_what_the_compiler_tells_today() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `just errors`"
