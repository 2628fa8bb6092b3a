"""What every store knows from the start: Segment's e-commerce events and the channels.

Events are those of the Segment e-commerce specification (version 2), in snake case, with `Signed Up` and `Signed In`
and the page and screen calls. A property whose type the specification leaves open is text.
"""

from __future__ import annotations

from collections.abc import Mapping

from dsl.catalog import FIELDS, PRODUCT_PARTS, Catalog, Channel, Event, Template
from dsl.types import Type

_TEXT = Type.TEXT
_PRODUCT: Mapping[str, Type] = {
    **PRODUCT_PARTS,
    "sku": _TEXT,
    "variant": _TEXT,
    "coupon": _TEXT,
    "currency": _TEXT,
    "position": Type.NUMBER,
    "value": Type.MONEY,
    "cart_id": _TEXT,
}
_ORDER: Mapping[str, Type] = {
    "order_id": _TEXT,
    "checkout_id": _TEXT,
    "affiliation": _TEXT,
    "value": Type.MONEY,
    "subtotal": Type.MONEY,
    "total": Type.MONEY,
    "revenue": Type.MONEY,
    "shipping": Type.MONEY,
    "tax": Type.MONEY,
    "discount": Type.MONEY,
    "coupon": _TEXT,
    "currency": _TEXT,
    "products": Type.PRODUCTS,
}
_STEP: Mapping[str, Type] = {
    "checkout_id": _TEXT,
    "order_id": _TEXT,
    "step": Type.NUMBER,
    "shipping_method": _TEXT,
    "payment_method": _TEXT,
}
_COUPON: Mapping[str, Type] = {
    "order_id": _TEXT,
    "cart_id": _TEXT,
    "coupon_id": _TEXT,
    "coupon_name": _TEXT,
    "discount": Type.MONEY,
    "reason": _TEXT,
}
_LIST: Mapping[str, Type] = {"list_id": _TEXT, "category": _TEXT, "products": Type.PRODUCTS}
_PROMOTION: Mapping[str, Type] = {
    "promotion_id": _TEXT,
    "creative": _TEXT,
    "name": _TEXT,
    "position": _TEXT,
}
_WISH: Mapping[str, Type] = {**_PRODUCT, "wishlist_id": _TEXT, "wishlist_name": _TEXT}
_SHARED: Mapping[str, Type] = {"share_via": _TEXT, "share_message": _TEXT, "recipient": _TEXT}
_ACCOUNT: Mapping[str, Type] = {"source": _TEXT, "method": _TEXT, "plan": _TEXT}
_MESSAGE: Mapping[str, Type] = {"template": _TEXT, "playbook": _TEXT, "campaign_name": _TEXT}
_PAGE: Mapping[str, Type] = {
    "name": _TEXT,
    "category": _TEXT,
    "title": _TEXT,
    "path": _TEXT,
    "url": _TEXT,
    "referrer": _TEXT,
    "search": _TEXT,
}


def _events(*rows: tuple[str, Mapping[str, Type], str]) -> dict[str, Event]:
    return {name: Event(name=name, properties=properties, about=about) for name, properties, about in rows}


EVENTS: Mapping[str, Event] = _events(
    ("products_searched", {"query": _TEXT}, "Searched the shop."),
    ("product_list_viewed", _LIST, "Looked at a list or category."),
    ("product_list_filtered", _LIST, "Narrowed a list down."),
    ("promotion_viewed", _PROMOTION, "Saw a promotion."),
    ("promotion_clicked", _PROMOTION, "Clicked a promotion."),
    ("product_clicked", _PRODUCT, "Clicked a product in a list."),
    ("product_viewed", _PRODUCT, "Looked at a product."),
    ("product_added", _PRODUCT, "Put a product into the cart."),
    ("product_removed", _PRODUCT, "Took a product out of the cart."),
    ("cart_viewed", {"cart_id": _TEXT, "products": Type.PRODUCTS}, "Looked at the cart."),
    ("checkout_started", _ORDER, "Began to check out."),
    ("checkout_step_viewed", _STEP, "Saw a step of the checkout."),
    ("checkout_step_completed", _STEP, "Finished a step of the checkout."),
    ("payment_info_entered", _STEP, "Entered how to pay."),
    ("order_completed", _ORDER, "Placed an order."),
    ("order_updated", _ORDER, "Changed an order."),
    ("order_refunded", _ORDER, "Got money back for an order."),
    ("order_cancelled", _ORDER, "Cancelled an order."),
    ("coupon_entered", _COUPON, "Entered a coupon."),
    ("coupon_applied", _COUPON, "Entered a coupon that was accepted."),
    ("coupon_denied", _COUPON, "Entered a coupon that was refused."),
    ("coupon_removed", _COUPON, "Took a coupon back."),
    ("product_added_to_wishlist", _WISH, "Put a product on the wish list."),
    ("product_removed_from_wishlist", _WISH, "Took a product off the wish list."),
    ("wishlist_product_added_to_cart", _WISH, "Put a product of the wish list into the cart."),
    ("product_shared", {**_PRODUCT, **_SHARED}, "Told somebody of a product."),
    ("cart_shared", {"cart_id": _TEXT, "products": Type.PRODUCTS, **_SHARED}, "Showed somebody the cart."),
    (
        "product_reviewed",
        {**PRODUCT_PARTS, "review_id": _TEXT, "review_body": _TEXT, "rating": Type.NUMBER},
        "Reviewed a product.",
    ),
    ("experiment_viewed", {"experiment_name": _TEXT, "variation_name": _TEXT}, "Was put into a test by another tool."),
    ("signed_up", _ACCOUNT, "Made an account."),
    ("signed_in", _ACCOUNT, "Came back to the account."),
    ("email_opened", _MESSAGE, "Opened an e-mail."),
    ("email_link_clicked", {**_MESSAGE, "link_url": _TEXT}, "Clicked a link in an e-mail."),
    ("push_notification_tapped", _MESSAGE, "Tapped a push notification."),
    ("page_viewed", _PAGE, "Opened a page: Segment's page call."),
    ("screen_viewed", _PAGE, "Opened a screen of the app: Segment's screen call."),
)
"""Every event that needs no declaration."""


CHANNELS: Mapping[str, Channel] = {
    name: Channel(name=name, address=address)
    for name, address in (
        ("email", "email"),
        ("sms", "phone"),
        ("whatsapp", "phone"),
        ("push", "push_token"),
        ("webhook", "email"),
    )
}
"""Every channel, with the profile field of its address. `push_token` is a trait of the app's own; a webhook names the
person by e-mail address."""


NOUNS = frozenset({"task", "ticket", "deal", "note", "credit"})
"""The records that a CRM can be asked to make."""
OUTSIDE = frozenset({"facebook"})
"""Where audiences are kept in sync."""


def standard_catalog(
    *,
    currency: str = "USD",
    templates: Mapping[tuple[str, str], Template] | None = None,
) -> Catalog:
    """The catalog of a store that has seen no events of its own. With `templates`, sends are held to them."""
    return Catalog(
        fields=FIELDS,
        events=EVENTS,
        channels=CHANNELS,
        templates=templates or {},
        nouns=NOUNS,
        outside=OUTSIDE,
        currency=currency,
        templates_given=templates is not None,
    )
