"""Every shipped template renders for every kind of person, and is what mail clients and the law want of it."""

from __future__ import annotations

import email
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import default
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, cast

import pytest

from connectors.templates import TemplateSet, load_templates
from dsl.delivery import Message

FOLDER = Path(__file__).parents[2] / "playbooks" / "templates"
SHOP = {
    "name": "Hill & Harbour",
    "address": "12 Sample Street, Portland, ME 04101, USA",
    "url": "https://shop.example",
    "currency": "USD",
    "zone": "America/New_York",
}
STOP_LINK = "https://shop.example/unsubscribe/abc.def"
KETTLE: dict[str, Any] = {
    "product_id": "OU101", "name": "Enamel camp kettle", "price": 4_800, "quantity": 1, "category": "Outdoors",
    "brand": "Morrow", "url": "https://shop.example/products/OU101", "image_url": "https://shop.example/i/OU101.jpg",
}  # fmt: skip
SOCKS: dict[str, Any] = {"product_id": "CL101", "name": "Merino crew socks", "price": 1_650, "quantity": 2}
BARE: dict[str, Any] = {"product_id": "X", "name": "Gift", "price": None, "brand": None, "image_url": None, "url": None}
EMAILS = sorted(path.stem for path in (FOLDER / "email").glob("*.mjml"))
PHONES = sorted(path.stem for path in (FOLDER / "sms").glob("*.txt"))
ADA: Mapping[str, Any] = {"first_name": "Ada", "last_name": "Bell", "email": "ada@example.com"}
GSM = set(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""The letters of GSM 03.38: with any other, a text message holds 70 characters in place of 160."""


@pytest.fixture(scope="module")
def templates() -> TemplateSet:
    return load_templates(FOLDER)


def arguments(**changed: Any) -> dict[str, Any]:
    return {
        "items": [KETTLE, SOCKS],
        "products": [KETTLE, SOCKS, KETTLE],
        "total": 3_210,
        "minimum": 5_000,
        "offer": "Free shipping on this order",
        "subject_line": "Your cart is still here",
        "headline": "Where you left off",
        "credit": 1_000,
    } | changed


def rendered(
    templates: TemplateSet, channel: str, name: str, *, profile: Mapping[str, Any] = ADA, **changed: Any
) -> Message:
    reads = templates.describe()[channel, name].variables
    return templates.render(
        channel,
        name,
        arguments={key: value for key, value in arguments(**changed).items() if key in reads},
        profile=profile,
        shop=SHOP,
        unsubscribe_url=STOP_LINK,
        key="send-1",
        address="ada@example.com" if channel == "email" else "+12025550143",
        sender="Hill & Harbour <hello@shop.example>" if channel == "email" else "+12025550100",
        date=datetime(2026, 11, 20, 10, tzinfo=UTC),
    )


def parts(message: Message) -> tuple[str, str, str]:
    """Subject, HTML and text of an e-mail."""
    read = cast(EmailMessage, email.message_from_bytes(message.content, policy=cast(Any, default)))
    html, text = read.get_body(("html",)), read.get_body(("plain",))
    assert html is not None
    assert text is not None
    return str(read["subject"]), html.get_content(), text.get_content()


class Outline(HTMLParser):
    """The tags of a page with their attributes, and its words."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1][0] != "style":
            self.words.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.words))


def test_they_are_all_here() -> None:
    assert EMAILS == [
        "browse_reminder", "cart_almost_there", "cart_free_shipping", "cart_last_call", "cart_reminder",
        "refer_a_friend", "review_request", "we_miss_you", "welcome", "welcome_picks",
    ]  # fmt: skip
    assert PHONES == ["cart_last_call"]


def test_nothing_is_wrong_with_the_files(templates: TemplateSet) -> None:
    described = templates.describe()
    assert {key: template.problems for key, template in described.items() if template.problems} == {}
    assert set(described) == {*(("email", name) for name in EMAILS), *(("sms", name) for name in PHONES)}


@pytest.mark.parametrize("name", EMAILS)
def test_an_email_says_what_it_must(templates: TemplateSet, name: str) -> None:
    subject, html, text = parts(rendered(templates, "email", name))
    outline = Outline(html)
    links = [link["href"] for link in outline.all("a")]
    assert 10 <= len(subject) <= 50
    assert STOP_LINK in links
    assert "https://shop.example/account/preferences" in links
    assert "12 Sample Street" in outline.text
    assert STOP_LINK in text
    assert "12 Sample Street" in text
    assert not [link for link in links if not str(link).startswith("https://shop.example")]
    assert "{{" not in html + text + subject
    assert "{%" not in html + text + subject
    assert len(html) < 60_000  # Gmail cuts at 102,000


@pytest.mark.parametrize("name", EMAILS)
def test_an_email_has_its_dark_side_and_its_small_screen(templates: TemplateSet, name: str) -> None:
    _, html, _ = parts(rendered(templates, "email", name))
    head = html[: html.index("<body")]
    assert {"name": "color-scheme", "content": "light dark"} in Outline(head).all("meta")
    assert "@media (prefers-color-scheme: dark)" in head
    assert "@media only screen and (max-width: 479px)" in head
    button = next(link for link in Outline(html).all("a") if "border-radius" in str(link.get("style")))
    assert "#1f5a45" in str(button["style"])


@pytest.mark.parametrize("name", EMAILS)
def test_an_unknown_name_leaves_no_hole(templates: TemplateSet, name: str) -> None:
    for profile in ({}, {"first_name": None}, {"first_name": ""}):
        subject, html, text = parts(rendered(templates, "email", name, profile=profile))
        assert "None" not in subject + html + text
        assert not re.search(r" ,|, [!?.]|\s\?", Outline(html).text)
    words = Outline(parts(rendered(templates, "email", name))[1]).text
    assert "Ada" in words


@pytest.mark.parametrize("name", EMAILS)
def test_names_are_shown_as_they_are_and_never_run(templates: TemplateSet, name: str) -> None:
    nasty = {**KETTLE, "name": '<script>alert("1")</script> & "Söhne"', "brand": "<b>", "image_url": '"><script>'}
    profile = {"first_name": "<img src=x onerror=alert(1)> Łukasz 王"}
    _, html, text = parts(rendered(templates, "email", name, profile=profile, items=[nasty], products=[nasty]))
    outline = Outline(html)
    assert not outline.all("script")
    assert not [image for image in outline.all("img") if image["src"] == "x"]
    assert "Łukasz 王" in outline.text
    assert "Łukasz 王" in text
    if "<script>" in outline.text:
        assert '& "Söhne"' in outline.text


@pytest.mark.parametrize("name", [name for name in EMAILS if name.startswith("cart_")])
def test_many_items_are_cut_short_and_counted(templates: TemplateSet, name: str) -> None:
    items = [{**KETTLE, "name": f"Thing {number:02d}", "price": 100 + number} for number in range(1, 13)]
    _, html, text = parts(rendered(templates, "email", name, items=items, products=[]))
    for shown in (Outline(html).text, text):
        assert re.findall(r"Thing (\d\d)", shown) == ["01", "02", "03", "04", "05"]
        assert "and 7 more in your cart" in shown
    _, html, _ = parts(rendered(templates, "email", name, items=items[:5], products=[]))
    assert "more in your cart" not in html


@pytest.mark.parametrize("name", [name for name in EMAILS if name.startswith("cart_")])
def test_prices_are_those_of_all_pieces(templates: TemplateSet, name: str) -> None:
    costly = {**KETTLE, "name": "Armchair", "price": 123_456_789, "quantity": 1}
    _, html, text = parts(rendered(templates, "email", name, items=[SOCKS, costly], products=[]))
    for shown in (Outline(html).text, text):
        assert "$33.00" in shown
        assert "2 pieces" in shown
        assert "$1,234,567.89" in shown
        assert "1 pieces" not in shown


@pytest.mark.parametrize("name", EMAILS)
def test_what_a_product_lacks_is_left_out(templates: TemplateSet, name: str) -> None:
    _, html, text = parts(rendered(templates, "email", name, items=[BARE], products=[BARE]))
    outline = Outline(html)
    assert "None" not in html + text
    assert "$0.00" not in outline.text
    assert not outline.all("img")
    assert re.search(r"(^| )G( |$)", outline.text)


@pytest.mark.parametrize("name", EMAILS)
def test_pictures_have_words_and_a_size(templates: TemplateSet, name: str) -> None:
    _, html, _ = parts(rendered(templates, "email", name))
    images = Outline(html).all("img")
    assert images
    for image in images:
        assert image["src"] == KETTLE["image_url"]
        assert image["alt"] == KETTLE["name"]
        assert int(str(image["width"]))
        assert int(str(image["height"]))


def test_recommendations_go_when_there_are_none(templates: TemplateSet) -> None:
    for name, heading in (("cart_almost_there", "what you looked at"), ("welcome", "What other people like")):
        assert heading in parts(rendered(templates, "email", name))[1]
        assert heading not in parts(rendered(templates, "email", name, products=[]))[1]
    assert "whenever you feel like it" in parts(rendered(templates, "email", "welcome_picks", products=[]))[1]


@pytest.mark.parametrize(("total", "told", "width"), [(3_210, "$17.90", "64%"), (4_999, "$0.01", "99%")])
def test_how_far_it_is_to_free_shipping(templates: TemplateSet, total: int, told: str, width: str) -> None:
    _, html, _ = parts(rendered(templates, "email", "cart_almost_there", total=total))
    outline = Outline(html)
    assert f"With {told} more, we pay for the delivery." in outline.text
    assert width in [table.get("width") for table in outline.all("table")]


def test_a_cart_that_grew_in_the_meantime_is_not_asked_for_more(templates: TemplateSet) -> None:
    _, html, _ = parts(rendered(templates, "email", "cart_almost_there", total=9_000))
    outline = Outline(html)
    assert "more, we pay" not in outline.text
    assert "-$" not in outline.text
    assert "100%" in [table.get("width") for table in outline.all("table") if table.get("class") == "done"]


def test_the_subject_is_the_playbook_s(templates: TemplateSet) -> None:
    subject, _, _ = parts(rendered(templates, "email", "cart_reminder", subject_line="Did something hold you up?"))
    assert subject == "Did something hold you up?"


@pytest.mark.parametrize("name", PHONES)
def test_a_text_message_is_one_message(templates: TemplateSet, name: str) -> None:
    text = rendered(templates, "sms", name).content.decode()
    assert len(text) <= 160
    assert set(text) <= GSM
    assert "&amp;" not in text
    assert text.startswith("Hill & Harbour: ")
    assert text.endswith("Reply STOP to opt out")
