"""The fields that a template writes bare are those without which nobody gets its message: the rendering is asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.templates import RenderError, load_templates

SHOP = {"name": "Shop", "address": "Street 1", "currency": "USD", "zone": "UTC", "locale": "en"}


@pytest.mark.parametrize(
    ("text", "bare"),
    [
        ("{{ profile.first_name }}", "first_name"),
        ("{{ profile['first_name'] }}", "first_name"),
        ("{{ profile.first_name | title }}", "first_name"),
        ("{{ profile.first_name | upper }}", "first_name"),
        ("{{ profile.first_name | trim }}", "first_name"),
        ("{{ profile.first_name | string }}", "first_name"),
        ("{{ profile.first_name | escape }}", "first_name"),
        ("{{ profile.first_name | urlencode }}", "first_name"),
        ("{{ profile.first_name | default('you') }}", ""),
        ("{{ profile.first_name | d(profile.city) }}", "city"),
        ("{{ profile.first_name or 'you' }}", ""),
        ("{{ profile.first_name or profile.city }}", "city"),
        ("{{ profile.first_name if profile.first_name else 'you' }}", ""),
        ("{{ 'you' if not profile.first_name else profile.first_name }}", ""),
        ("{{ profile.first_name if profile.city else 'you' }}", "first_name"),
        ("{% if profile.first_name %}{{ profile.first_name }}{% endif %}", ""),
        ("{% if not profile.first_name %}you{% else %}{{ profile.first_name }}{% endif %}", ""),
        ("{% if profile.first_name and profile.city %}{{ profile.city }}{% endif %}", ""),
        ("{% if profile.first_name is none %}you{% else %}{{ profile.first_name }}{% endif %}", ""),
        ("{% if profile.first_name == 'Ada' %}{{ profile.first_name }}{% endif %}", ""),
        ("{% if 1 == 1 %}{{ profile.first_name }}{% endif %}", "first_name"),
        ("{% for n in [1] %}{{ profile.city }}{% endfor %}", "city"),
        ("{{ profile.orders.last_at | date }}", "orders.last_at"),
        ("{{ profile.orders.count }} {{ profile.cart.total | money }}", "orders.count cart.total"),
    ],
)
def test_personal(tmp_path: Path, text: str, bare: str) -> None:
    path = tmp_path / "sms" / "try.txt"
    path.parent.mkdir()
    path.write_text(text)
    templates = load_templates(tmp_path)
    assert templates.describe()["sms", "try"].personal == set(bare.split())

    def render() -> None:
        templates.render("sms", "try", arguments={}, profile={}, shop=SHOP, unsubscribe_url="", key="k",
                         address="+1", sender="Shop")  # fmt: skip

    sums = {"orders.count", "cart.total"}  # of nothing 0, so that they can be written
    if set(bare.split()) - sums and text != "{{ profile.first_name if profile.city else 'you' }}":
        with pytest.raises(RenderError) as told:
            render()
        assert told.value.reason == "value_unknown"
    else:
        render()
