"""Traits and orders as rows. Newer events are folded onto the row; with an older one among them, or after a join, the
person is folded anew from all stored events, so that the rows do not depend on the order of arrival."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, bindparam, delete, insert, or_, select, update

from profiles.traits import FOLDED, ORDER_CHANGES, Event, Order, State, cart_totals, fold_all
from profiles.values import MAX_CENTS
from store.schema import events, order_items, orders, traits
from store.upsert import Excluded, chunks, upsert


def see(connection: Connection, seen: Iterable[tuple[int, int]]) -> None:
    """Note when people were seen, (profile id, microseconds); an earlier time than the known one changes nothing."""

    def later(new: Excluded) -> ColumnElement[bool]:
        return or_(traits.c.last_seen_at.is_(None), traits.c.last_seen_at < new.last_seen_at)

    rows = [
        {"profile_id": profile, "last_seen_at": at, "browsing_products": [], "cart_items": []} for profile, at in seen
    ]
    upsert(connection, traits, rows, only=("last_seen_at",), where=later)


def fold_into_rows(connection: Connection, fresh: Mapping[int, Sequence[Event]], joined: Iterable[int]) -> None:
    """Bring traits and orders up to date. `fresh`: per profile the events of the batch that change traits, already
    stored; `joined`: profiles that took over others. Every profile has its row in `traits` already."""
    states = _states(connection, fresh)
    anew = {profile for profile in fresh if _is_stale(states.get(profile), fresh[profile])} | set(joined)
    anew |= _with_order_changes(connection, (p for p in fresh if p not in anew and _orders(fresh[p])))
    told = {profile: batch for profile, batch in fresh.items() if profile not in anew}
    ordered = [profile for profile, batch in told.items() if _orders(batch)]
    for profile, placed in _placed(connection, ordered).items():
        states[profile] = replace(states[profile], orders=placed)
    folded = {profile: fold_all(states[profile], batch) for profile, batch in told.items()}
    _write(connection, folded, with_orders={profile: states[profile].orders for profile in ordered})
    for some in chunks(sorted(anew), 200):
        stored = _stored_events(connection, some)
        _forget_orders(connection, some)
        made = {profile: fold_all(State(), stored.get(profile, ())) for profile in some}
        _write(connection, made, with_orders={profile: {} for profile in some})


def _is_stale(state: State | None, batch: Sequence[Event]) -> bool:
    """Whether the batch cannot simply be folded onto the state."""
    oldest = min((event.at, event.event_id) for event in batch)
    late = state is not None and state.newest is not None and oldest < state.newest
    return late or any(event.name in ORDER_CHANGES for event in batch)


def _orders(batch: Sequence[Event]) -> bool:
    return any(event.name == "order_completed" for event in batch)


def _with_order_changes(connection: Connection, profiles: Iterable[int]) -> set[int]:
    """Those with changes of orders in the past: the rows of `orders` do not tell all that folding needs."""
    found: set[int] = set()
    for some in chunks(profiles):
        statement = select(events.c.profile_id).where(events.c.profile_id.in_(some), events.c.name.in_(ORDER_CHANGES))
        found |= set(connection.scalars(statement.distinct()))
    return found


def _states(connection: Connection, profiles: Iterable[int]) -> dict[int, State]:
    found: dict[int, State] = {}
    for some in chunks(profiles):
        for row in connection.execute(select(traits).where(traits.c.profile_id.in_(some))):
            found[row.profile_id] = _state(row)
    return found


def _state(row: Row[Any]) -> State:
    return State(
        cart={item["product_id"] + "\n" + item.get("variant", ""): item for item in row.cart_items},
        cart_updated_at=row.cart_updated_at,
        checkout_step=row.checkout_step,
        checkout_updated_at=row.checkout_updated_at,
        category=row.browsing_last_category,
        browsed=tuple(row.browsing_products),
        newest=(row.newest[0], row.newest[1]) if row.newest else None,
    )


def _placed(connection: Connection, profiles: Iterable[int]) -> dict[int, dict[str, Order]]:
    found: dict[int, dict[str, Order]] = {profile: {} for profile in profiles}
    for some in chunks(found):
        for row in connection.execute(select(orders).where(orders.c.profile_id.in_(some))):
            order = Order(at=row.at, gross=row.total, cancelled=row.cancelled)
            found[row.profile_id][row.order_id] = order
    return found


def _stored_events(connection: Connection, profiles: Sequence[int]) -> dict[int, list[Event]]:
    columns = (events.c.profile_id, events.c.event_id, events.c.name, events.c.at, events.c.properties)
    found: dict[int, list[Event]] = {}
    statement = select(*columns).where(events.c.profile_id.in_(profiles), events.c.name.in_(FOLDED))
    for profile, event_id, name, at, properties in connection.execute(statement):
        event = Event(event_id=event_id, name=name, at=at, properties=properties)
        found.setdefault(profile, []).append(event)
    return found


def _forget_orders(connection: Connection, profiles: Sequence[int]) -> None:
    for table in (order_items, orders):
        connection.execute(delete(table).where(table.c.profile_id.in_(profiles)))


def _write(
    connection: Connection, states: Mapping[int, State], *, with_orders: Mapping[int, Mapping[str, Order]]
) -> None:
    """Write the states. `with_orders`: the profiles whose orders changed, with those orders that are stored already."""
    rows = [{"the_id": profile, **_cart_row(state)} for profile, state in states.items()]
    if rows:
        connection.execute(update(traits).where(traits.c.profile_id == bindparam("the_id")), rows)
    sums = [{"the_id": profile, **_order_sums(states[profile])} for profile in with_orders]
    if sums:
        connection.execute(update(traits).where(traits.c.profile_id == bindparam("the_id")), sums)
    new = [
        (profile, key, order, order.at)
        for profile, known in with_orders.items()
        for key, order in states[profile].orders.items()
        if order.at is not None and key not in known
    ]
    order_rows = [
        {"order_id": key, "profile_id": profile, "at": at, "total": order.total, "cancelled": order.cancelled}
        for profile, key, order, at in new
    ]
    item_rows = [
        {"order_id": key, "profile_id": profile, "product_id": product, "at": at, "quantity": quantity}
        for profile, key, order, at in new
        if not order.cancelled
        for product, quantity in order.items or ()
        if quantity
    ]
    if order_rows:
        connection.execute(insert(orders), order_rows)
    if item_rows:
        connection.execute(insert(order_items), item_rows)


def _cart_row(state: State) -> dict[str, Any]:
    total, count = cart_totals(state)
    return {
        "cart_total": total,
        "cart_count": count,
        "cart_items": list(state.cart.values()),
        "cart_updated_at": state.cart_updated_at,
        "checkout_step": state.checkout_step,
        "checkout_updated_at": state.checkout_updated_at,
        "browsing_last_category": state.category,
        "browsing_products": list(state.browsed),
        "newest": list(state.newest) if state.newest else None,
    }


def _order_sums(state: State) -> dict[str, Any]:
    counted = sorted(
        (order.at, key, order.total)
        for key, order in state.orders.items()
        if order.at is not None and not order.cancelled
    )
    return {
        "orders_count": len(counted),
        "orders_value": min(sum(total for _, _, total in counted), MAX_CENTS),
        "orders_first_at": counted[0][0] if counted else None,
        "orders_last_at": counted[-1][0] if counted else None,
        "orders_last_total": counted[-1][2] if counted else None,
    }
