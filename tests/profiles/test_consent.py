"""Consent: the newest word counts, whenever it arrives."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest
from sqlalchemy import Engine, select

from store.schema import consents
from tests.profiles.shop import at, identify, instant_at, take, wipe


def known(engine: Engine) -> dict[tuple[str, str], tuple[bool, str, int]]:
    with engine.connect() as connection:
        return {
            (row.channel, row.topic): (row.granted, row.source, row.at) for row in connection.execute(select(consents))
        }


def test_consent_is_kept_with_its_source_and_time(engine: Engine) -> None:
    take(engine, identify(3, email_consent=True, sms_consent=False, consent_source="checkout", consent_at=at(1)))
    assert known(engine) == {
        ("email", "marketing"): (True, "checkout", instant_at(1)),
        ("sms", "marketing"): (False, "checkout", instant_at(1)),
    }


def test_without_a_time_of_its_own_it_is_that_of_the_call(engine: Engine) -> None:
    take(engine, identify(3, push_consent=True, ads_consent=True))
    assert known(engine)["ads", "marketing"] == (True, "import", instant_at(3))


def test_a_topic_has_its_own(engine: Engine) -> None:
    take(engine, identify(0, email_consent=True, email_consent_product_news=False))
    assert {key: row[0] for key, row in known(engine).items()} == {
        ("email", "marketing"): True,
        ("email", "product_news"): False,
    }


def test_the_newest_word_counts_in_any_order(engine: Engine) -> None:
    words = [identify(hours, email_consent=granted) for hours, granted in ((1, True), (2, False), (3, True))]
    for order in permutations(words):
        wipe(engine)
        for word in order:
            take(engine, word)
        assert known(engine)["email", "marketing"][0] is True


@pytest.mark.parametrize("in_one_batch", [True, False])
def test_at_the_same_time_the_refusal_counts(engine: Engine, in_one_batch: bool) -> None:
    for order in permutations([identify(1, email_consent=True), identify(1, email_consent=False)]):
        wipe(engine)
        for some in [order] if in_one_batch else [[word] for word in order]:
            take(engine, *some)
        assert known(engine)["email", "marketing"][0] is False


@pytest.mark.parametrize(
    ("traits", "reason"),
    [
        ({"email_consent": "yes"}, '`email_consent` is "yes"; consent is true or false, without quotes.'),
        ({"sms_consent": None}, "`sms_consent` is null; consent is true or false"),
        ({"email_consent": 1}, "`email_consent` is 1; consent is true or false"),
        ({"email_consent": True, "consent_at": "2026-03-01"}, "which has no time zone"),
        ({"email_consent": True, "consent_source": 5}, "`consent_source` is 5; it must be a text"),
    ],
)
def test_what_is_no_consent_is_refused(engine: Engine, traits: dict[str, Any], reason: str) -> None:
    (outcome,) = take(engine, identify(0, **traits)).outcomes
    assert outcome.kind == "rejected"
    assert reason in (outcome.reason or "")
    assert known(engine) == {}
