import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from flows.failure import LONGEST, places, reason


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("mail to anna.o'neil+shop@example.com bounced", "mail to (an address) bounced"),
        ("cannot connect to smtp://shop:s3cret@mail.example:587", "cannot connect to smtp://…@mail.example:587"),
        ("no route for +47 22 33 44 55", "no route for (a phone number)"),
        ("401: Authorization: Bearer abcdef123456", "401: Authorization: Bearer …"),
        ("GET /send?api_key=12345&to=7 failed", "GET /send?api_key=…&to=7 failed"),
        ("the store is locked", "the store is locked"),
        ("", "ValueError"),
    ],
)
def test_secrets_and_addresses_are_left_out(said: str, shown: str) -> None:
    assert reason(ValueError(said)) == shown


def test_values_of_a_statement_are_left_out() -> None:
    with pytest.raises(OperationalError) as caught, create_engine("sqlite://").connect() as connection:
        connection.execute(text("SELECT * FROM people WHERE name = :name"), {"name": "Anna Berg"})
    assert reason(caught.value) == "(sqlite3.OperationalError) no such table: people"


def test_an_error_is_short() -> None:
    assert len(reason(ValueError("x" * 10_000))) == LONGEST + 2


def test_places_name_the_code() -> None:
    try:
        raise ValueError
    except ValueError as error:
        assert places(error)[-1].startswith("test_failure.py, line ")
