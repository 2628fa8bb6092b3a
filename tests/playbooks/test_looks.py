"""The shipped e-mails in a real browser: they fit a small screen, follow the dark side, and can be read."""

from __future__ import annotations

import email
import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any, cast

import pytest

from connectors.templates import load_templates

sync_api = pytest.importorskip("playwright.sync_api", reason="looking at e-mails needs `pip install playwright`")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="looking at e-mails needs Chromium (Debian: apt install chromium)"),
]
TEMPLATES = Path(__file__).parents[2] / "playbooks" / "templates"
EMAILS = sorted(path.stem for path in (TEMPLATES / "email").glob("*.mjml"))
LONG = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"
CONTRAST = """
() => {
  const numbers = colour => colour.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = element => {
    for (; element; element = element.parentElement) {
      const colour = numbers(getComputedStyle(element).backgroundColor);
      if (colour.length < 4 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  for (let node; node = walker.nextNode();) {
    const element = node.parentElement;
    if (!node.data.replace(/[\\s\\u034f\\u200c]/g, '') || !element.getClientRects().length) continue;
    const [one, two] = [numbers(getComputedStyle(element).color), behind(element)].map(light);
    found.push([(Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05), node.data.trim()]);
  }
  return found;
}
"""
"""The contrast of every text on the page, after WCAG 2.2, with the text."""


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    """The HTML of every e-mail, filled with things that are hard to place."""
    product = {
        "product_id": "1",
        "name": "Enamel camp kettle",
        "price": 480_000,
        "quantity": 12,
        "brand": "Tarn & Fell",
    }
    things = [{**product, "name": LONG}, product, {**product, "name": "Ø" * 60}]
    values = {
        "items": things * 4, "products": things, "total": 3_210, "minimum": 5_000, "headline": "Where you left off",
        "credit": 1_000,
        "offer": "Free shipping on this order", "subject_line": "Your cart is still here",
    }  # fmt: skip
    templates = load_templates(TEMPLATES)
    made = {}
    for name in EMAILS:
        message = templates.render(
            "email",
            name,
            arguments={key: values[key] for key in templates.describe()["email", name].variables},
            profile={"first_name": LONG},
            shop={
                "name": "Hill & Harbour",
                "address": "12 Sample Street",
                "url": "https://shop.example",
                "currency": "USD",
            },
            unsubscribe_url="https://shop.example/u",
            key="send-1",
            address="ada@example.com",
            sender="Hill & Harbour <hello@shop.example>",
            date=datetime(2026, 11, 20, tzinfo=UTC),
        )
        read = cast(EmailMessage, email.message_from_bytes(message.content, policy=cast(Any, default)))
        html = read.get_body(("html",))
        assert html is not None
        made[name] = html.get_content()
    return made


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    # Tests as root, as in containers, need the first; the others keep it from talking to the network.
    quiet = (
        "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-background-networking",
        "disable-component-update", "disable-sync",
    )  # fmt: skip
    with sync_api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=[f"--{flag}" for flag in quiet])
        yield opened
        opened.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 800])
@pytest.mark.parametrize("name", EMAILS)
def test_it_fits_and_can_be_read(browser: Any, pages: dict[str, str], name: str, width: int, scheme: str) -> None:
    page = browser.new_page(viewport={"width": width, "height": 700}, color_scheme=scheme)
    try:
        page.set_content(pages[name])
        assert page.evaluate("document.documentElement.scrollWidth") == width
        card = page.locator(".card").first
        assert card.bounding_box()["width"] == min(width, 600)
        shade = [int(part) for part in re.findall(r"\d+", card.evaluate("e => getComputedStyle(e).backgroundColor"))]
        assert (max(shade) < 60) if scheme == "dark" else (min(shade) > 240)
        contrasts = page.evaluate(CONTRAST)
        assert len(contrasts) > 10
        assert [(round(contrast, 2), text) for contrast, text in contrasts if contrast < 4.5] == []
        button = page.locator(".button a").bounding_box()
        assert button["height"] >= 44  # a finger's width, after Apple's and Google's guidelines
        assert button["x"] + button["width"] <= width
    finally:
        page.close()
