"""`winback explain WB203`: the meaning of a code, outside of any project."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Winback


@pytest.mark.parametrize("code", ["WB203", "wb203"])
def test_a_code_is_explained_with_an_example(winback: Winback, code: str) -> None:
    told = winback("explain", code)
    assert told.code == 0
    assert "A channel is unknown." in told.out
    assert "There is no channel called `emial`." in told.out
    assert "Did you mean `email`?" in told.out
    assert told.out.index("Wrong") < told.out.index("send emial") < told.out.index("Right")


def test_for_programs(winback: Winback) -> None:
    told = winback("explain", "WB316", "--json").json
    assert (told["code"], told["severity"]) == ("WB316", "error")
    assert "unsubscribe link" in told["told"][0]["message"]
    assert list(told["files"]) == ["templates/email/news.html"]


def test_a_code_that_is_none(winback: Winback) -> None:
    told = winback("explain", "WB999")
    assert told.code == 2
    assert "There is no such code." in told.err
