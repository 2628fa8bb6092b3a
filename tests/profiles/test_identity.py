"""Who a call is about: joining what is known of one person, and never two people."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, func, insert, select

from profiles.identity import bucket_of
from store.engine import write
from store.schema import (
    assignments,
    consents,
    enrollments,
    events,
    identities,
    matches,
    outbox,
    plans,
    profiles,
    traits,
)
from tests.profiles.shop import RULES, identify, instant_at, profile_of, take, track, traits_of

DEVICE = {"anonymousId": "laptop"}


def alive(engine: Engine) -> int:
    with engine.connect() as connection:
        return connection.scalar(select(func.count()).where(profiles.c.merged_into.is_(None))) or 0


def test_anonymous_history_joins_at_sign_up(engine: Engine) -> None:
    take(engine, track("Product Added", 0, DEVICE, product_id="lamp", price=20))
    visitor = profile_of(engine, "anonymous_id", "laptop")
    assert visitor.user_id is None
    take(engine, identify(1, {**DEVICE, "userId": "ann"}, email="Ann@Example.COM", firstName="Ann"))
    ann = profile_of(engine, "user_id", "ann")
    assert (ann.id, ann.user_id, ann.email, ann.first_name) == (visitor.id, "ann", "Ann@example.com", "Ann")
    assert traits_of(engine).cart_total == 2000
    assert profile_of(engine, "email", "ann@example.com").id == ann.id


def test_a_profile_that_was_there_takes_the_visitor_over(engine: Engine) -> None:
    take(engine, identify(0, "ann", email="ann@example.com", city="Oslo"), track("Product Viewed", 1, product_id="rug"))
    take(engine, track("Product Added", 3, DEVICE, product_id="lamp", price="20.00", quantity=2))
    ann, visitor = profile_of(engine, "user_id", "ann"), profile_of(engine, "anonymous_id", "laptop")
    take(engine, track("Signed In", 4, {**DEVICE, "userId": "ann"}))
    assert alive(engine) == 1
    with engine.connect() as connection:
        gone = connection.execute(select(profiles).where(profiles.c.id == visitor.id)).one()
        owners = set(connection.scalars(select(events.c.profile_id)))
        left = connection.scalar(select(func.count()).where(traits.c.profile_id == visitor.id))
    assert gone.merged_into == ann.id
    assert owners == {ann.id}
    assert left == 0
    row = traits_of(engine)
    assert (row.cart_total, row.cart_count, row.last_seen_at) == (4000, 2, instant_at(4))
    assert [product["product_id"] for product in row.browsing_products] == ["rug"]
    assert profile_of(engine, "anonymous_id", "laptop").id == ann.id


def test_the_bucket_of_the_older_profile_stays(engine: Engine) -> None:
    take(engine, track("Product Viewed", 0, DEVICE))
    take(engine, track("Product Viewed", 0, "ann"))
    take(engine, track("Signed In", 1, {**DEVICE, "userId": "ann"}))
    assert profile_of(engine, "user_id", "ann").bucket == bucket_of(("anonymous_id", "laptop"))


def test_buckets_are_spread_evenly() -> None:
    buckets = [bucket_of(("user_id", str(number))) for number in range(10_000)]
    assert min(buckets) >= 0
    assert max(buckets) < 2**31 - 1
    tenths = [sum(1 for bucket in buckets if bucket * 10 // (2**31 - 1) == tenth) for tenth in range(10)]
    assert max(abs(share - 1000) for share in tenths) < 150


def test_two_users_on_one_device_stay_two(engine: Engine) -> None:
    take(engine, track("Signed In", 0, {**DEVICE, "userId": "ann"}))
    take(engine, track("Signed In", 1, {**DEVICE, "userId": "bob"}))
    assert profile_of(engine, "user_id", "ann").id != profile_of(engine, "user_id", "bob").id
    assert profile_of(engine, "anonymous_id", "laptop").id == profile_of(engine, "user_id", "ann").id
    assert alive(engine) == 2


def test_two_users_with_one_address_stay_two(engine: Engine) -> None:
    take(engine, identify(0, "ann", email="home@example.com"), identify(1, "bob", email="home@example.com"))
    ann, bob = profile_of(engine, "user_id", "ann"), profile_of(engine, "user_id", "bob")
    assert ann.id != bob.id
    assert ann.email_hash == bob.email_hash
    assert profile_of(engine, "email", "home@example.com").id == ann.id


def test_two_addresses_on_one_device_stay_two(engine: Engine) -> None:
    take(engine, identify(0, DEVICE, email="ann@example.com"))
    take(engine, identify(1, DEVICE, email="bob@example.com"))
    assert alive(engine) == 2
    assert profile_of(engine, "email", "bob@example.com").email == "bob@example.com"
    assert profile_of(engine, "anonymous_id", "laptop").email == "ann@example.com"


def test_an_address_may_change(engine: Engine) -> None:
    take(engine, identify(0, "ann", email="old@example.com"), identify(2, "ann", email="new@example.com"))
    take(engine, identify(1, "ann", email="between@example.com"))
    assert profile_of(engine, "email", "old@example.com").email == "new@example.com"
    assert alive(engine) == 1


def test_an_address_alone_names_a_person(engine: Engine) -> None:
    guest = {
        **track("Order Completed", 0, {}, order_id="o1", total=12),
        "context": {"traits": {"email": "A@b.example"}},
    }
    take(engine, guest)
    take(engine, identify(1, "ann", email="a@B.example"))
    assert traits_of(engine).orders_value == 1200


def test_a_phone_number_names_a_person_however_it_is_written(engine: Engine) -> None:
    take(engine, identify(0, DEVICE, phone="(415) 555-0100"), identify(1, "ann", phone="+1 415 555 0100"))
    ann = profile_of(engine, "user_id", "ann")
    assert ann.phone == "+14155550100"
    assert ann.id == profile_of(engine, "anonymous_id", "laptop").id
    assert ann.phone_hash is not None


def test_only_an_alias_joins_two_users(engine: Engine) -> None:
    take(engine, track("Product Added", 0, "old", product_id="lamp", price=5), track("Product Viewed", 1, "new"))
    alias = {
        "type": "alias",
        "messageId": "al",
        "previousId": "old",
        "userId": "new",
        "timestamp": "2026-03-02T00:00:00Z",
    }
    take(engine, alias)
    assert profile_of(engine, "user_id", "old").id == profile_of(engine, "user_id", "new").id
    assert profile_of(engine, "user_id", "old").user_id == "new"
    take(engine, track("Product Added", 2, "old", product_id="lamp", price=5))
    assert traits_of(engine, "new").cart_count == 2


def test_an_alias_may_come_first(engine: Engine) -> None:
    alias = {"type": "alias", "messageId": "al", "previousId": "laptop", "userId": "ann"}
    take(engine, alias)
    take(engine, track("Product Added", 0, DEVICE, product_id="lamp"), track("Product Added", 1, product_id="lamp"))
    assert alive(engine) == 1
    assert traits_of(engine).cart_count == 2


@pytest.mark.parametrize("in_one_batch", [True, False])
def test_a_chain_of_joins(engine: Engine, in_one_batch: bool) -> None:
    chain = [
        track("Product Added", 0, {"anonymousId": "a"}, product_id="lamp"),
        track("Product Added", 1, {"anonymousId": "b"}, product_id="rug"),
        identify(2, {"anonymousId": "a"}, phone="+14155550100"),
        identify(3, {"anonymousId": "b"}, email="ann@example.com"),
        identify(4, {}, phone="+14155550100", email="ann@example.com"),
        track("Signed In", 5, {"anonymousId": "b", "userId": "ann"}),
    ]
    for some in [chain] if in_one_batch else [[call] for call in chain]:
        take(engine, *some)
    assert alive(engine) == 1
    assert traits_of(engine).cart_count == 2
    with engine.connect() as connection:
        assert len(connection.execute(select(identities)).all()) == 5


def test_a_join_keeps_the_ledger(engine: Engine) -> None:
    take(engine, track("Product Viewed", 0, "ann"), track("Product Viewed", 0, DEVICE))
    ann, visitor = profile_of(engine, "user_id", "ann").id, profile_of(engine, "anonymous_id", "laptop").id
    with write(engine) as connection:
        connection.execute(insert(plans).values(digest="d", playbook="cart", body={}, created_at=1))
        for number, (profile, playbook, state) in enumerate(
            [
                (ann, "cart", "active"),
                (visitor, "cart", "active"),
                (visitor, "browse", "active"),
                (visitor, "cart", "done"),
            ]
        ):
            connection.execute(
                insert(enrollments).values(
                    id=number + 1, playbook=playbook, digest="d", profile_id=profile, holdout=False, state=state,
                    step="start", due_at=5, entered_at=number,
                )
            )  # fmt: skip
        for number, (enrollment, profile, state) in enumerate(
            [
                (1, ann, "planned"),
                (1, ann, "planned"),
                (2, visitor, "planned"),
                (2, visitor, "claimed"),
                (2, visitor, "skipped"),
                (3, visitor, "planned"),
            ]
        ):
            connection.execute(
                insert(outbox).values(
                    playbook="p", enrollment_id=enrollment, step=f"s{number}", occurrence=1, profile_id=profile,
                    digest="d", channel="email", template="t", state=state, token="tok", planned_at=1, due_at=1,
                    expires_at=9,
                )
            )  # fmt: skip
        for experiment, profile, variant, seen in [
            ("e1", ann, "b", 9),
            ("e1", visitor, "a", 3),
            ("e2", visitor, "c", 4),
        ]:
            connection.execute(
                insert(assignments).values(
                    experiment=experiment, profile_id=profile, playbook="p", variant=variant, at=seen
                )
            )
        for playbook, profile in [("cart", ann), ("cart", visitor), ("browse", visitor)]:
            connection.execute(insert(matches).values(playbook=playbook, profile_id=profile, tick="t1"))

    take(engine, track("Signed In", 1, {**DEVICE, "userId": "ann"}))

    with engine.connect() as connection:
        rows = connection.execute(select(enrollments).order_by(enrollments.c.id)).all()
        assert {row.profile_id for row in rows} == {ann}
        assert [(row.state, row.reason, row.step) for row in rows] == [
            ("active", None, "start"),
            ("left", "merged", None),
            ("active", None, "start"),
            ("done", None, "start"),
        ]
        sends = connection.execute(select(outbox).order_by(outbox.c.id)).all()
        assert {row.profile_id for row in sends} == {ann}
        assert [(row.state, row.reason) for row in sends] == [
            ("planned", None),
            ("planned", None),
            ("cancelled", "merged"),
            ("cancelled", "merged"),
            ("skipped", None),
            ("planned", None),
        ]
        assert sends[3].token is None
        shown = connection.execute(select(assignments.c.experiment, assignments.c.profile_id, assignments.c.variant))
        assert set(map(tuple, shown)) == {("e1", ann, "a"), ("e2", ann, "c")}
        held = connection.execute(select(matches.c.playbook, matches.c.profile_id))
        assert sorted(map(tuple, held)) == [("browse", ann), ("cart", ann)]


def test_a_join_keeps_the_newest_consent(engine: Engine) -> None:
    take(engine, identify(0, "ann", email_consent=True, sms_consent=True), identify(5, DEVICE, email_consent=False))
    take(engine, track("Signed In", 6, {**DEVICE, "userId": "ann"}))
    ann = profile_of(engine, "user_id", "ann").id
    with engine.connect() as connection:
        found = {(row.profile_id, row.channel): row.granted for row in connection.execute(select(consents))}
    assert found == {(ann, "email"): False, (ann, "sms"): True}
    assert RULES.currency == "USD"
