"""A store is held to the key of its hashes, on both databases."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, insert

from store.addresses import address_hash
from store.engine import write
from store.errors import StoreError
from store.keys import check_key
from store.schema import suppressions

ONE, OTHER = b"one key of at least sixteen", b"another key of sixteen"


def test_a_store_without_hashes_takes_any_key_and_the_last_one_counts(engine: Engine) -> None:
    check_key(engine, ONE)
    check_key(engine, OTHER)
    check_key(engine, OTHER)
    suppress(engine, OTHER)
    with pytest.raises(StoreError):
        check_key(engine, ONE)


def test_another_key_is_refused_where_it_would_forget_a_suppression(engine: Engine) -> None:
    check_key(engine, ONE)
    suppress(engine, ONE)
    with pytest.raises(StoreError) as refused:
        check_key(engine, OTHER)
    assert "another WINBACK_SECRET" in refused.value.reason
    assert "WINBACK_SECRET" in refused.value.way_out
    assert OTHER.decode() not in str(refused.value)
    check_key(engine, ONE)


def suppress(engine: Engine, key: bytes) -> None:
    with write(engine) as connection:
        row = {"channel": "email", "address_hash": address_hash("ada@example.com", key), "reason": "complaint", "at": 1}
        connection.execute(insert(suppressions).values(row))
