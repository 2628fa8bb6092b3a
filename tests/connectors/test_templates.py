"""A folder of template files becomes messages."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from connectors.templates import RenderError, TemplateSet, load_templates
from dsl.delivery import Message

SHOP = {
    "name": "Tea & Co",
    "address": "Street 1, 0150 Oslo",
    "url": "https://shop.example",
    "currency": "EUR",
    "zone": "Europe/Oslo",
}
ITEMS = [
    {"name": "Blue <mug>", "price": 1999, "quantity": 2, "url": "https://shop.example/p?a=1&b=2", "image_url": None},
    {
        "name": "Tea",
        "price": 500,
        "quantity": 1.0,
        "url": "https://shop.example/p/2",
        "image_url": "https://x.example/t.png",
    },
]
FOOT = '<p>{{ shop.address }}</p><p><a href="{{ unsubscribe_url }}">Unsubscribe</a></p>'
MJML_FOOT = f"<mj-section><mj-column><mj-text>{FOOT}</mj-text></mj-column></mj-section>"


def folder(path: Path, files: Mapping[str, str]) -> TemplateSet:
    for name, text in files.items():
        (path / "templates" / name).parent.mkdir(parents=True, exist_ok=True)
        (path / "templates" / name).write_text(text)
    return load_templates(path / "templates")


def render(templates: TemplateSet, channel: str = "email", name: str = "try", **given: Any) -> Message:
    usual: dict[str, Any] = {
        "arguments": {},
        "profile": {"first_name": "Anna", "last_name": "Lie"},
        "shop": SHOP,
        "unsubscribe_url": "https://shop.example/unsubscribe/TOKEN",
        "key": "k",
        "address": "anna@example.com",
        "sender": "Tea & Co <hello@shop.example>",
        "date": datetime(2026, 3, 7, 10, 15, tzinfo=UTC),
    }
    return templates.render(channel, name, **{**usual, **given})


def email(message: Message) -> tuple[EmailMessage, str, str]:
    """The message, its text and its HTML."""
    parsed = message_from_bytes(message.content, policy=policy.default)
    assert isinstance(parsed, EmailMessage)
    text, html = parsed.get_body(("plain",)), parsed.get_body(("html",))
    assert text is not None and html is not None
    return parsed, *(str(one.get_content()).replace("\r\n", "\n") for one in (text, html))


def sms(path: Path, body: str, **given: Any) -> str:
    return render(folder(path, {"sms/try.txt": body}), "sms", **given).content.decode()


# ── E-mail ────────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_html_to_message(tmp_path: Path) -> None:
    templates = folder(
        tmp_path,
        {
            "email/try.html": "---\nsubject: {{ profile.first_name }}, your cart & {{ items | length }} things\n"
            "preheader: From {{ items[0].price | money }}\n---\n"
            "<html><head><style>.price { color: red } @media (max-width: 400px) { p { margin: 0 } }</style></head>"
            "<body><h1>Hello {{ profile.first_name }}</h1>\n<ul>{% for item in items %}"
            '<li><a href="{{ item.url }}">{{ item.name }}</a> <span class="price">{{ item.price | money }}</span> '
            f"× {{{{ item.quantity }}}}</li>{{% endfor %}}</ul>{FOOT}</body></html>"
        },
    )
    message = render(templates, arguments={"items": ITEMS})
    parsed, text, html = email(message)
    assert parsed["Subject"] == message.headers["Subject"] == "Anna, your cart & 2 things"
    assert str(parsed["To"]) == "Anna Lie <anna@example.com>"
    assert str(parsed["Date"]) == "Sat, 07 Mar 2026 10:15:00 +0000"
    assert parsed["List-Unsubscribe"] == "<https://shop.example/unsubscribe/TOKEN>"
    assert '<a href="https://shop.example/p?a=1&amp;b=2">Blue &lt;mug&gt;</a>' in html
    assert re.search(r'<span class="price" style="color: ?red;?">€19.99</span> × 2</li>', html)
    assert "@media" in html and "From €19.99" in html
    assert text == (
        "Hello Anna\n\n"
        "- Blue <mug> <https://shop.example/p?a=1&b=2> €19.99 × 2\n"
        "- Tea <https://shop.example/p/2> €5.00 × 1\n\n"
        "Street 1, 0150 Oslo\n\n"
        "Unsubscribe <https://shop.example/unsubscribe/TOKEN>\n"
    )
    assert message.headers["Template"] == "email/try" and message.headers["Topic"] == "marketing"


MJML = f"""---
subject: Your cart
---
<mjml>
  <mj-head><mj-style>.price {{ color: red }}</mj-style></mj-head>
  <mj-body>
    {{% for item in items %}}
    <mj-section>
      <mj-column width="30%">
        {{% if item.image_url %}}<mj-image src="{{{{ item.image_url }}}}" alt="{{{{ item.name }}}}" />{{% endif %}}
      </mj-column>
      <mj-column width="70%">
        <mj-text>{{{{ item.name }}}}<br/><span class="price">{{{{ item.price | money }}}}</span></mj-text>
        <mj-raw>{{% if item.quantity > 1 %}}</mj-raw>
        <mj-text>{{{{ item.quantity }}}} pieces</mj-text>
        <mj-raw>{{% endif %}}</mj-raw>
      </mj-column>
    </mj-section>
    {{% endfor %}}
    <mj-section><mj-column>
      <mj-table>
        {{% for item in items %}}
        <tr><td>{{{{ item.name }}}}</td><td>{{{{ item.price | money }}}}</td></tr>
        {{% endfor %}}
      </mj-table>
      <mj-button href="{{{{ shop.url }}}}/cart{{% if coupon is defined %}}?c={{{{ coupon }}}}{{% endif %}}">
        To the cart
      </mj-button>
    </mj-column></mj-section>
    {MJML_FOOT}
  </mj-body>
</mjml>
"""


def test_mjml_to_message(tmp_path: Path) -> None:
    """Tags stand where MJML and HTML allow none: around sections, in columns, between rows, in attributes."""
    templates = folder(tmp_path, {"email/try.mjml": MJML})
    _, text, html = email(render(templates, arguments={"items": ITEMS, "coupon": "A B"}))
    assert html.count("<mjml") == html.count("mj-text") == html.count("{%") == html.count("wbtag") == 0
    assert html.count("<img") == 1 and 'alt="Tea"' in html
    assert html.index("Blue &lt;mug&gt;") < html.index("2 pieces") < html.index("Tea</td>")
    assert html.count('<span class="price" style="color: red;">') == 2
    rows = re.findall(r"<tr><td>([^<]*)</td><td>([^<]*)</td></tr>", html)
    assert rows == [("Blue &lt;mug&gt;", "€19.99"), ("Tea", "€5.00")]
    assert 'href="https://shop.example/cart?c=A B"' in html
    assert text == (
        "Blue <mug>\n€19.99\n2 pieces\n\nTea\n€5.00\n\nBlue <mug> €19.99\nTea €5.00\n\n"
        "To the cart <https://shop.example/cart?c=A B>\n\nStreet 1, 0150 Oslo\n\n"
        "Unsubscribe <https://shop.example/unsubscribe/TOKEN>\n"
    )


def test_a_part_is_included_and_its_errors_have_its_own_lines(tmp_path: Path) -> None:
    files = {
        "email/try.mjml": "---\nsubject: Hi\n---\n<mjml><mj-body>\n"
        '<mj-include path="parts/foot.mjml" />\n<mj-section></mj-section>\n</mj-body></mjml>',
        "email/parts/foot.mjml": MJML_FOOT.replace("<p>", "\n{{ profile.nickname }}\n<p>", 1),
    }
    templates = folder(tmp_path, files)
    assert list(templates.describe()) == [("email", "try")]
    assert templates.describe()["email", "try"].problems == ()
    with pytest.raises(RenderError) as error:
        render(templates)
    assert (error.value.template, error.value.line) == ("templates/email/parts/foot.mjml", 2)
    assert "Street 1" in email(render(templates, profile={"nickname": "Ann"}))[2]


def test_a_text_part_beside(tmp_path: Path) -> None:
    templates = folder(
        tmp_path,
        {
            "email/try.html": f"---\nsubject: Hi\n---\n<p>HTML</p>{FOOT}",
            "email/try.txt": "Only {{ profile.first_name }}\n",
        },
    )
    _, text, html = email(render(templates))
    assert text == "Only Anna\n" and "HTML" in html


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>One</p><p>Two</p>", "One\n\nTwo"),
        ("<h1>Head</h1><div>One<br>Two</div>", "Head\n\nOne\nTwo"),
        ('<p>See <a href="https://x.example">our page</a>, please.</p>', "See our page <https://x.example>, please."),
        ('<a href="https://x.example">https://x.example</a>', "https://x.example"),
        ('<a href="mailto:a@x.example">a@x.example</a>', "a@x.example"),
        ('<a href="https://x.example"><img alt="Our shop" src="x"></a>', "Our shop <https://x.example>"),
        ('<a href="https://x.example"><img src="x"></a>', "<https://x.example>"),
        ('<img alt="Decoration" src="x"><p>Text</p>', "Text"),
        ("<ul><li>One</li><li>Two</li></ul>", "- One\n- Two"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td><td>d</td></tr></table>", "a b\nc d"),
        ("<p>One   two\n three</p>", "One two three"),
        ("<p>A &amp; B &lt;c&gt; &nbsp; d</p>", "A & B <c> d"),
        ("<!--[if mso]><p>Outlook</p><![endif]--><p>All</p>", "All"),
        ('<div style="display:none">Hidden</div><p>Seen</p>', "Seen"),
        ("<p>a &#123;&#123; b }}</p>", "a {{ b }}"),
        ("<p>One{% if true %} and two{% endif %}</p><p>Three</p>", "One and two\n\nThree"),
        ("<p>One</p>{% if false %}<p>Two</p>{% endif %}<p>Three</p>", "One\n\nThree"),
        ("{% for n in range(3) %}<div>{{ n }}</div>{% endfor %}", "0\n1\n2"),
        ("{% raw %}<p>{{ kept }}</p>{% endraw %}", "{{ kept }}"),
        ("<p>{# never #}Text</p>", "Text"),
        ("<p>{{ '<b>bold</b>' | safe }}</p>", "bold"),
    ],
)
def test_plain_text_of_html(tmp_path: Path, html: str, text: str) -> None:
    templates = folder(tmp_path, {"email/try.html": f"---\nsubject: Hi\ntopic: transactional\n---\n{html}"})
    assert email(render(templates))[1] == text + "\n"


def test_what_is_written_is_escaped_for_where_it_stands(tmp_path: Path) -> None:
    templates = folder(
        tmp_path,
        {"email/try.html": f'---\nsubject: {{{{ name }}}}\n---\n<p title="{{{{ name }}}}">{{{{ name }}}}</p>{FOOT}'},
    )
    name = '<script>"&'
    parsed, text, html = email(render(templates, arguments={"name": name}))
    assert parsed["Subject"] == name and text.startswith(name + "\n")
    assert '<p title="&lt;script&gt;&#34;&amp;">&lt;script&gt;&#34;&amp;</p>' in html


def test_duties_of_marketing_email(tmp_path: Path) -> None:
    templates = folder(
        tmp_path,
        {
            "email/try.html": f"---\nsubject: Hi\n---\n{FOOT}",
            "email/receipt.html": "---\nsubject: Hi\ntopic: transactional\n---\nThanks",
        },
    )
    for address in ("", "  ", None):
        with pytest.raises(RenderError) as error:
            render(templates, shop={**SHOP, "address": address})
        assert error.value.reason in ("postal_address_missing", "value_unknown")
    with pytest.raises(RenderError) as error:
        render(templates, unsubscribe_url="")
    assert error.value.reason == "unsubscribe_missing"
    parsed, _, _ = email(render(templates, name="receipt", shop={**SHOP, "address": ""}, unsubscribe_url=""))
    assert parsed["List-Unsubscribe"] is None


def test_a_header_that_a_value_would_break_is_an_error_of_this_person(tmp_path: Path) -> None:
    templates = folder(tmp_path, {"email/try.html": f"---\nsubject: {{{{ name }}}}\n---\n{FOOT}"})
    with pytest.raises(RenderError) as error:
        render(templates, arguments={"name": "Tea\r\nBcc: all@example.com"})
    assert error.value.reason == "header_invalid"
    assert "Bcc" not in str(error.value)
    with pytest.raises(RenderError) as error:
        render(templates, arguments={"name": "Tea"}, address="anna@example.com\nBcc: all@example.com")
    assert error.value.reason == "header_invalid"


def test_rendering_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    templates = folder(tmp_path, {"email/try.mjml": MJML})
    first = render(templates, arguments={"items": ITEMS})
    assert first == render(templates, arguments={"items": ITEMS})


# ── Other channels ────────────────────────────────────────────────────────────────────────────────────────────────────
def test_sms_and_push(tmp_path: Path) -> None:
    assert sms(tmp_path, "Hei {{ profile.first_name }} & co!\n") == "Hei Anna & co!"
    templates = folder(
        tmp_path,
        {"push/try.txt": "---\ntitle: Hei {{ profile.first_name }}\nurl: {{ shop.url }}/cart\n---\nCome <back>\n"},
    )
    message = render(templates, "push")
    assert json.loads(message.content) == {
        "title": "Hei Anna",
        "body": "Come <back>",
        "url": "https://shop.example/cart",
    }


# ── Values ────────────────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("{{ 1999 | money }}", "€19.99"),
        ("{{ 100000 | money }}", "€1,000.00"),
        ("{{ 5000 | money(cents=false) }}", "€50"),
        ("{{ 5050 | money(cents=false) }}", "€50.50"),
        ("{{ -500 | money }}", "-€5.00"),
        ("{{ 0 | money }}", "€0.00"),
        ("{{ '2026-12-24' | date }}", "December 24, 2026"),
        ("{{ '2026-12-24' | date('full') }}", "Thursday, December 24, 2026"),
        ("{{ '2026-12-24' | date('medium') }}", "Dec 24, 2026"),
        ("{{ 1772924400000000 | date }}", "March 8, 2026"),
        ("{{ profile.first_name | default('you') }}", "Anna"),
        ("{{ profile.city | default('you') }}", "you"),
        ("{{ profile.loyalty_tier | default('none') }}", "none"),
        ("{% if profile.loyalty_tier %}x{% else %}y{% endif %}", "y"),
        ("{{ profile.cart.total | money }} {{ profile.cart.count }}", "€12.34 0"),
        ("{{ profile.cart.items | length }}", "2"),
        ("{{ 3.0 }} {{ 2.5 }} {{ 7 }}", "3 2.5 7"),
        ("{{ ['a', 'b'] | join(' and ') }}", "a and b"),
        ("{% for row in [1, 2, 3] | batch(2) %}{{ row | join('-') }};{% endfor %}", "1-2;3;"),
        ("{{ shop.name }}", "Tea & Co"),
    ],
)
def test_values(tmp_path: Path, body: str, text: str) -> None:
    profile = {"first_name": "Anna", "cart.total": 1234, "cart.items": ITEMS}
    assert sms(tmp_path, body, profile=profile) == text


def test_money_and_dates_in_the_shops_own_way(tmp_path: Path) -> None:
    shop = {**SHOP, "currency": "NOK", "locale": "nb_NO"}
    assert sms(tmp_path, "{{ 199900 | money }}", shop=shop).replace("\xa0", " ") == "1 999,00 kr"
    assert sms(tmp_path, "{{ 5000 | money(cents=false) }}", shop=shop).replace("\xa0", " ") == "50 kr"
    assert sms(tmp_path, "{{ '2026-12-24' | date }}", shop=shop) == "24. desember 2026"
    assert sms(tmp_path, "{{ 199900 | money }}", shop={**SHOP, "currency": "JPY"}) == "¥1,999"


@pytest.mark.parametrize(
    ("body", "reason", "told"),
    [
        ("\n{{ profile.first_name }}{{ profile.city }}", "value_unknown", "sms/try.txt:2: `profile.city` is unknown"),
        ("\n\n{{ offer }}", "value_missing", "sms/try.txt:3: `offer` is undefined"),
        ("{{ profile.cart.totl }}", "value_missing", "`totl`"),
        ("{% if offer %}x{% endif %}", "value_missing", "`offer` is undefined"),
        ("{% for x in profile.browsing.products %}x{% endfor %}", "value_unknown", "`profile.browsing.products`"),
        ("{{ items }}", "value_unwritable", "`items` is neither text nor number"),
        ("{{ true }}", "value_unwritable", "neither text nor number"),
        ("{{ 19.99 | money }}", "value_not_money", "hundredths"),
        ("{{ '19.99' | money }}", "value_not_money", "hundredths"),
        ("{{ profile.orders.average | money }}", "value_unknown", "`money`"),
        ("{{ 'soon' | date }}", "value_not_date", "date"),
        ("{{ profile.first_name | int + profile.city }}", "value_unknown", "reckon"),
        ("{{ profile.first_name > 3 }}", "template_error", "TypeError"),
        ("a\n{{ 1 / 0 }}", "template_error", "sms/try.txt:2"),
        ("{{ profile.__class__ }}", "value_missing", "`__class__`"),
        ("{{ items.append(1) }}", "template_forbidden", "may not"),
    ],
)
def test_what_cannot_be_written_is_an_error_with_place(tmp_path: Path, body: str, reason: str, told: str) -> None:
    with pytest.raises(RenderError) as error:
        sms(tmp_path, body, arguments={"items": ITEMS})
    assert error.value.reason == reason
    assert told in str(error.value)
    assert "Anna" not in str(error.value) and error.value.__context__ is None


def test_the_line_of_an_error_is_that_of_the_file(tmp_path: Path) -> None:
    """In MJML and HTML too, where what is compiled has other lines than what was written."""
    for name, before in (("email/try.mjml", MJML), ("email/try.html", f"---\nsubject: Hi\n---\n<p>One\n\n</p>{FOOT}")):
        lines = before.split("\n")
        at = next(number for number, line in enumerate(lines) if "</mj-text>" in line or line == "</p>" + FOOT) + 1
        lines[at - 1] = (
            "{{ profile.city }}" + lines[at - 1]
            if "html" in name
            else lines[at - 1].replace("</mj-text>", "{{ profile.city }}</mj-text>")
        )
        templates = folder(tmp_path / name.replace("/", "_"), {name: "\n".join(lines)})
        with pytest.raises(RenderError) as error:
            render(templates, arguments={"items": ITEMS})
        assert (error.value.template, error.value.line) == (f"templates/{name}", at)


@pytest.mark.parametrize("key", ["subject", "preheader"])
def test_an_error_in_the_front_matter_has_its_line(tmp_path: Path, key: str) -> None:
    matter = {"subject": "Hi", "preheader": "Ho", key: "{{ profile.city }}"}
    lines = "\n".join(f"{name}: {value}" for name, value in matter.items())
    templates = folder(tmp_path, {"email/try.html": f"---\n{lines}\n---\n<p>{FOOT}</p>"})
    with pytest.raises(RenderError) as error:
        render(templates)
    assert error.value.line == list(matter).index(key) + 2


def test_a_template_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(RenderError) as error:
        render(load_templates(tmp_path / "nowhere"))
    assert error.value.reason == "template_missing"


def test_a_broken_installation_is_no_broken_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody loses a message because a package is missing here."""
    monkeypatch.setitem(sys.modules, "babel.dates", None)
    with pytest.raises(ImportError):
        sms(tmp_path, "{{ '2031-01-17' | date('full') }}")
