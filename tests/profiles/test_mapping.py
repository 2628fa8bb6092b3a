"""Rows of shops' exports become calls by a mapping."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from profiles.mapping import Mapping, MappingError, mapping_of, read_mapping
from store.schema import consents, events, order_items, orders
from tests.profiles.shop import profile_of, traits_of
from tests.profiles.test_files import bring_in, rejected

BEHAVIOUR = """
type = "track"
user_id = "user_id"
anonymous_id = "user_session"
timestamp = { column = "event_time", format = "%Y-%m-%d %H:%M:%S UTC", zone = "UTC" }

[event]
column = "event_type"
[event.values]
view = "Product Viewed"
cart = "Product Added"
remove_from_cart = "Product Removed"
purchase = "Order Completed"

[properties]
product_id = "product_id"
price = "price"
category = "category_code"

[events.purchase.properties]
order_id = "{user_session}-{row}"
total = "price"

[events.purchase.products]
product_id = "product_id"
price = "price"
"""
BEHAVIOUR_ROWS = """event_time,event_type,product_id,category_code,price,user_id,user_session
2019-10-01 00:00:00 UTC,view,44600062,home.lamp,35.79,541,s1
2019-10-01 00:01:00 UTC,cart,44600062,,35.79,541,s1
2019-10-01 00:02:00 UTC,purchase,44600062,,35.79,541,s1
2019-10-01 00:03:00 UTC,wish,44600062,,35.79,541,s1
yesterday,view,44600062,,35.79,541,s1
2019-10-01 00:04:00 UTC,cart,100,,"1,5",541,s1
2019-10-01 00:05:00 UTC,cart,100,,12.00,541,s1
2019-10-01 00:06:00 UTC,view,10
"""
INVOICES = """
event = { value = "Order Completed" }
user_id = "CustomerID"
message_id = "invoice-{InvoiceNo}"
group_by = "InvoiceNo"
delimiter = ";"
encoding = "latin-1"
timestamp = { column = "InvoiceDate", format = "%m/%d/%Y %H:%M", zone = "Europe/London" }

[properties]
order_id = "InvoiceNo"

[products]
product_id = "StockCode"
name = "Description"
quantity = "Quantity"
price = "UnitPrice"
"""
INVOICE_ROWS = """InvoiceNo;StockCode;Description;Quantity;InvoiceDate;UnitPrice;CustomerID;Country
536365;85123A;"WHITE ""HEART""; LARGE";6;7/1/2010 8:26;2.55;17850;United Kingdom
536365;71053;CAFÉ LANTERN;2;7/1/2010 8:26;3.39;17850;United Kingdom
536366;22633;HAND WARMER;1;12/1/2010 8:28;1.85;17850;United Kingdom
C536367;22633;HAND WARMER;-1;12/1/2010 9:28;1.85;17850;United Kingdom
536368;22633;HAND WARMER;1;12/1/2010 9:30;1.85;;United Kingdom
"""


def made(text: str) -> Mapping:
    return mapping_of(tomllib.loads(text), place="map.toml")


def test_a_file_of_behaviour(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "events.csv").write_text(BEHAVIOUR_ROWS, encoding="utf-8")
    (tmp_path / "map.toml").write_text(BEHAVIOUR, encoding="utf-8")
    result = bring_in(engine, tmp_path / "events.csv", read_mapping(tmp_path / "map.toml"))
    assert (result.counts.read, result.counts.imported, result.counts.rejected) == (8, 4, 4)
    assert [(row["line"], row["reason"]) for row in rejected(result)] == [
        (5, '`event_type` is "wish"; the mapping knows view, cart, remove_from_cart, purchase.'),
        (6, '`event_time` is "yesterday", which is not written as %Y-%m-%d %H:%M:%S UTC.'),
        (7, '`price` is "1,5", which is not a number. Write it without quotes, currency and separators of '
            "thousands, like 1299.5."),
        (9, "The row has 3 cells, but the header names 7."),
    ]  # fmt: skip
    assert rejected(result)[2]["text"] == '2019-10-01 00:04:00 UTC,cart,100,,"1,5",541,s1'
    row = traits_of(engine, "541")
    assert (row.cart_total, row.orders_value, row.browsing_last_category) == (1200, 3579, "home.lamp")
    with engine.connect() as connection:
        assert connection.scalars(select(order_items.c.order_id)).all() == ["s1-3"]


def test_rows_of_an_invoice_are_one_order(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "invoices.csv").write_text(INVOICE_ROWS, encoding="latin-1")
    result = bring_in(engine, tmp_path / "invoices.csv", made(INVOICES))
    assert (result.counts.read, result.counts.imported) == (4, 2)
    bad = rejected(result)
    assert [row["line"] for row in bad] == [5, 6]
    assert '`products[0].quantity` is "-1"; it cannot be negative' in bad[0]["reason"]
    assert "names nobody" in bad[1]["reason"]
    with engine.connect() as connection:
        assert [
            tuple(row) for row in connection.execute(select(orders.c.order_id, orders.c.total).order_by("order_id"))
        ] == [
            ("536365", 6 * 255 + 2 * 339),
            ("536366", 185),
        ]
        told = connection.execute(select(events).where(events.c.event_id == "invoice-536365")).one()
    assert [product["name"] for product in told.properties["products"]] == ['WHITE "HEART"; LARGE', "CAFÉ LANTERN"]
    assert told.at == 1277969160_000_000  # 8:26 in London, in summer


@pytest.mark.parametrize("batch", [1, 2, 3])
def test_a_group_is_never_cut_by_a_batch(engine: Engine, tmp_path: Path, batch: int) -> None:
    (tmp_path / "invoices.csv").write_text(INVOICE_ROWS, encoding="latin-1")

    def end(*_: object) -> None:
        raise KeyboardInterrupt

    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            bring_in(engine, tmp_path / "invoices.csv", made(INVOICES), batch=batch, progress=end)
    result = bring_in(engine, tmp_path / "invoices.csv", made(INVOICES), batch=batch)
    assert (result.counts.read, result.counts.imported, result.counts.duplicates) == (4, 2, 0)
    assert traits_of(engine, "17850").orders_value == 6 * 255 + 2 * 339 + 185


def test_a_file_of_customers(engine: Engine, tmp_path: Path) -> None:
    customers = """
        type = "identify"
        user_id = "id"
        [traits]
        email = "E-Mail: private"
        age = { column = "age", as = "number" }
        email_consent = { column = "newsletter", values = { yes = true, no = false } }
        consent_source = { value = "customer file" }
        shop = { value = "Oslo" }
    """
    path = tmp_path / "customers.tsv"
    path.write_text("id\tE-Mail: private\tage\tnewsletter\n7\tann@example.com\t34\tyes\n8\t\t\tno\n9\t\told\tno\n")
    result = bring_in(engine, path, made('delimiter = "\\t"\n' + customers))
    assert (result.counts.imported, result.counts.rejected) == (2, 1)
    assert '`age` is "old", which is not a number' in rejected(result)[0]["reason"]
    ann = profile_of(engine, "email", "ann@example.com")
    assert (ann.user_id, ann.custom) == ("7", {"age": 34, "shop": "Oslo"})
    with engine.connect() as connection:
        told = {row.profile_id: (row.granted, row.source) for row in connection.execute(select(consents))}
    assert told[ann.id] == (True, "customer file")
    assert len(told) == 2


def test_decimals_after_a_comma(engine: Engine, tmp_path: Path) -> None:
    shop = """
        event = { value = "Order Completed" }
        message_id = "o{Nr}"
        timestamp = { column = "Datum", format = "%d.%m.%Y", zone = "Europe/Berlin" }
        delimiter = ";"
        [traits]
        email = "Mail"
        [properties]
        order_id = "Nr"
        total = { column = "Betrag", as = "number", decimal = "," }
    """
    path = tmp_path / "orders.csv"
    amounts = ("186,94", "1.299,50", "20", "1.000", "1.5", "12,5,1")
    rows = [f"{n};ann@example.com;01.03.2026;{amount}" for n, amount in enumerate(amounts)]
    path.write_text("\n".join(["Nr;Mail;Datum;Betrag", *rows, ""]))
    result = bring_in(engine, path, made(shop))
    assert [row["reason"] for row in rejected(result)] == [
        f'`Betrag` is "{amount}", which is not a number written like 1.299,50.' for amount in ("1.5", "12,5,1")
    ]
    with engine.connect() as connection:
        assert sorted(connection.scalars(select(orders.c.total))) == [2000, 18694, 100000, 129950]
    assert profile_of(engine, "email", "ann@example.com").id


def test_cells_that_are_not_of_the_encoding_are_told(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "events.csv").write_bytes(BEHAVIOUR_ROWS.replace("home.lamp", "café").encode("latin-1"))
    result = bring_in(engine, tmp_path / "events.csv", made(BEHAVIOUR))
    assert rejected(result)[0]["reason"] == "The row is not utf-8. Name the file's encoding in the mapping."


def test_an_open_quotation_mark_is_told(engine: Engine, tmp_path: Path) -> None:
    rows = BEHAVIOUR_ROWS.replace("cart,100,,12.00", 'cart,100,"lamp,12.00') + ("x" * 1000 + "\n") * 200
    (tmp_path / "events.csv").write_text(rows)
    told = rejected(bring_in(engine, tmp_path / "events.csv", made(BEHAVIOUR)))[3]
    assert told["line"] == 8
    assert "quotation mark" in told["reason"]
    assert told["text"].startswith('2019-10-01 00:05:00 UTC,cart,100,"lamp,12.00,541,s1\n2019-10-01 00:06:00')


def test_a_parquet_file_is_read_as_rows(engine: Engine, tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow", reason="Parquet needs pyarrow, which winback does not ask for")
    parquet = pytest.importorskip("pyarrow.parquet")
    columns = {"who": [17850.0, None], "what": ["Lamp Lit", "Lamp Lit"], "when": ["2026-03-01T12:00:00Z"] * 2}
    parquet.write_table(pyarrow.table(columns), tmp_path / "events.parquet")
    result = bring_in(engine, tmp_path / "events.parquet", made('event = "what"\nuser_id = "who"\ntimestamp = "when"'))
    assert (result.counts.imported, result.counts.rejected) == (1, 1)
    assert profile_of(engine, "user_id", "17850").id
    assert json.loads((tmp_path / "events.rejects.jsonl").read_text())["line"] == 2


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", ["It has no `event`."]),
        ('type = "buy"\nevent = "e"', ["map.toml: type", "There is no type 'buy'."]),
        ('event = "e"\nuserid = "u"', ["map.toml: userid: There is no such setting.", "user_id"]),
        ('event = { values = { a = "b" } }', ["map.toml: event", "one of column, template and value"]),
        ('event = "{a"', ["The template '{a' cannot be read."]),
        ('event = "e"\nencoding = "utf-16"', ["map.toml: encoding", "line by line"]),
        ('event = "e"\nencoding = "klingon"', ["There is no encoding 'klingon'."]),
        ('event = "e"\ntimestamp = { column = "t", zone = "Middle/Earth" }', ["There is no time zone 'Middle/Earth'."]),
        ('event = "e"\nproperties = "p"', ["map.toml: properties: 'p' is not a table."]),
        ('event = "e"\n[events.buy]\nprops = {}', ["map.toml: events.buy: props: There is no such setting."]),
        ('event = "e"\n[traits]\nage = { column = "a", as = "date" }', ["map.toml: traits.age.as"]),
    ],
)
def test_mistakes_in_a_mapping_are_told(text: str, parts: list[str]) -> None:
    with pytest.raises(MappingError) as told:
        made(text)
    assert [part for part in parts if part not in str(told.value)] == [], str(told.value)


def test_a_mapping_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(MappingError, match="There is no such file"):
        read_mapping(tmp_path / "map.toml")
    (tmp_path / "map.toml").write_text("type = track")
    with pytest.raises(MappingError, match="It is not TOML"):
        read_mapping(tmp_path / "map.toml")
