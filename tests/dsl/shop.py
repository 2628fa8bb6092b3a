"""The catalog of the tests: what every store knows, some events that were seen, and a few templates."""

from __future__ import annotations

from dsl.catalog import Catalog, Template
from dsl.standard import standard_catalog
from dsl.types import Type


def _template(channel: str, name: str, *variables: str, **more: object) -> tuple[tuple[str, str], Template]:
    ending = "html" if channel == "email" else "txt"
    made = Template(
        channel=channel,
        name=name,
        path=f"templates/{channel}/{name}.{ending}",
        variables=frozenset(variables),
        **more,  # type: ignore[arg-type]
    )
    return (channel, name), made


TEMPLATES = dict(
    (
        _template("email", "hello"),
        _template("email", "dear", personal=frozenset({"first_name"})),
        _template("email", "cart", "items", optional=frozenset({"offer"})),
        _template("email", "offers", topic="offers"),
        _template("email", "receipt", topic="transactional"),
        _template("email", "unsound", problems=("There is no unsubscribe link.",)),
        _template("sms", "last_call"),
        _template("push", "nudge"),
    )
)


def shop(currency: str = "USD") -> Catalog:
    """A shop whose store has seen a few events of its own."""
    return standard_catalog(currency=currency, templates=TEMPLATES).with_events(
        {"quiz_taken": {"score": Type.ANY, "name": Type.ANY, "answers": Type.LIST}, "shop_visited": {}}
    )
