"""The page of a run in a real browser, as a marketer opens it. Screenshots go to WINBACK_SCREENSHOTS, if it is set."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from dsl.conditions import CanReceive
from dsl.outline import label
from dsl.plan import Arm, Branch, Entry, Plan, Schedule, Send, StartOn, Wait
from flows.graph import before
from flows.local import Server, local_server
from flows.watch import Parameters, Watcher

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.prefect]

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PEOPLE = {"if": 312, "sms": 120, "email": 192, "wait:1-day": 312, "reminder": 298}


def _send(id: str, channel: str, template: str, next: str | None) -> Send:
    return Send(id=id, channel=channel, template=template, arguments=(), next=next)


PLAN = Plan(
    name="cart_by_phone",
    about="Bring back a cart left alone for a day.",
    schedule=Schedule(seconds=900),
    trigger=StartOn(event="product_added"),
    only_if=None,
    entry=Entry(kind="once"),
    exits=(),
    goal=None,
    holdout=0.0,
    steps=(
        Branch(
            id="if",
            arms=(Arm(condition=CanReceive(channel="sms", topic="marketing"), label="if can receive sms", next="sms"),),
            next="email",
        ),
        _send("sms", "sms", "cart_waits", "wait:1-day"),
        _send("email", "email", "cart_waits", "wait:1-day"),
        Wait(id="wait:1-day", label="1 day", seconds=86_400, next="reminder"),
        _send("reminder", "email", "cart_reminder", None),
    ),
)


@dataclass(frozen=True)
class Told:
    headline: str = "312 entered · 610 sent"


def tick(_: Parameters, watcher: Watcher) -> Told:
    watcher.say("312 people entered; 16 of them are held out.")
    watcher.run("enter", "enter · 312 people", lambda: None)
    for step in PLAN.steps:
        watcher.run(
            step.id,
            f"{label(step, 'USD')} · {PEOPLE[step.id]} people",
            lambda: None,
            after=before(PLAN)[step.id] or ["enter"],
        )
    watcher.show(
        "steps", "Where people are", table=[{"step": label(s, "USD"), "people": PEOPLE[s.id]} for s in PLAN.steps]
    )
    watcher.show("summary", "What happened", "**312** people entered, **610** messages were sent.")
    return Told()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with pages, which has one run to show."""
    with local_server(tmp_path_factory.mktemp("prefect"), pages=True) as started:
        started.ready()
        from flows.build import build

        started.run(build(PLAN, source="playbook cart_by_phone:\n  …", tick=tick), Parameters())
        yield started


@pytest.fixture(scope="module")
def page(server: Server) -> Iterator[Page]:  # noqa: ARG001  started before Chromium is
    playwright = pytest.importorskip("playwright.sync_api", reason="browser tests need `pip install playwright`")
    if CHROMIUM is None:
        pytest.skip("browser tests need Chromium: `apt-get install chromium`")
    with playwright.sync_playwright() as playing:
        # Inside containers Chromium cannot make its own sandbox. It sees no page but ours.
        browser = playing.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser.new_page(viewport={"width": 1440, "height": 1000})
        browser.close()


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = Path(os.environ.get("WINBACK_SCREENSHOTS") or tmp_path_factory.mktemp("screenshots"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def shoot(page: Page, picture: Path) -> None:
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(1000)  # the graph is drawn on a canvas, which tells nobody when it is ready
    page.screenshot(path=picture)
    assert picture.stat().st_size > 20_000


def test_the_page_of_a_run(server: Server, page: Page, pictures: Path) -> None:
    outside: list[str] = []
    page.on("request", lambda r: None if r.url.startswith((server.pages, "blob:", "data:")) else outside.append(r.url))

    page.goto(f"{server.pages}/runs")
    page.get_by_text("312 entered · 610 sent").first.wait_for()
    page.get_by_text("cart_by_phone").first.wait_for()
    shoot(page, pictures / "runs.png")

    (run,) = httpx.post(f"{server.url}/flow_runs/filter", json={}).json()
    page.goto(f"{server.pages}/runs/flow-run/{run['id']}")
    page.get_by_text("312 people entered; 16 of them are held out.").wait_for()
    shoot(page, pictures / "graph-and-log.png")

    page.get_by_text("Task Runs", exact=True).click()
    for step in PLAN.steps:
        page.get_by_text(f"{label(step, 'USD')} - {PEOPLE[step.id]} people").wait_for()
    shoot(page, pictures / "steps.png")

    page.get_by_text("Artifacts", exact=True).click()
    page.get_by_text("cart-by-phone-summary").wait_for()
    shoot(page, pictures / "artifacts.png")
    page.get_by_text("cart-by-phone-steps").click()
    page.get_by_text("send email cart_reminder").first.wait_for()
    shoot(page, pictures / "table.png")

    (flow,) = httpx.post(f"{server.url}/flows/filter", json={}).json()
    page.goto(f"{server.pages}/flows/flow/{flow['id']}")
    page.get_by_text("cart_by_phone").first.wait_for()
    shoot(page, pictures / "flow.png")

    assert outside == [], "the pages asked somebody outside"
