"""How many messages a second: put together, rendered, written to files, sent over SMTP on loopback.

    python tests/connectors/benchmark_messages.py [COUNT]

The SMTP servers run in a process of their own: aiosmtpd, and a sink that does the least a server can do.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from aiosmtpd.smtp import SMTP

from connectors import mime
from connectors.contract import Connector
from connectors.email_smtp import SmtpConnector, smtp_settings
from connectors.outbox_file import OutboxConnector
from connectors.templates import TemplateSet, load_templates
from dsl.delivery import Message, Verdict

DATE = datetime(2026, 3, 7, 10, 15, tzinfo=UTC)
TEMPLATE = """---
subject: {{ profile.first_name }}, you left {{ items | length }} things
preheader: They are still yours
---
<mjml><mj-head><mj-style>.price { color: #c00 }</mj-style></mj-head><mj-body>
<mj-section><mj-column><mj-text><h1>Hello {{ profile.first_name }}</h1></mj-text></mj-column></mj-section>
{% for item in items %}
<mj-section>
  <mj-column width="30%"><mj-image src="{{ item.image_url }}" alt="{{ item.name }}" href="{{ item.url }}" /></mj-column>
  <mj-column width="70%">
    <mj-text>{{ item.name }}<br/><span class="price">{{ item.price | money }}</span> × {{ item.quantity }}</mj-text>
  </mj-column>
</mj-section>
{% endfor %}
<mj-section><mj-column>
  <mj-button href="{{ shop.url }}/cart">Back to my cart</mj-button>
  <mj-text>{{ shop.address }} <a href="{{ unsubscribe_url }}">Unsubscribe</a></mj-text>
</mj-column></mj-section>
</mj-body></mjml>
"""


def rate(count: int, work: Callable[[int], object]) -> float:
    began = time.perf_counter()
    for number in range(count):
        work(number)
    return count / (time.perf_counter() - began)


def rendered(templates: TemplateSet, number: int) -> Message:
    items = [
        {
            "name": f"Blåbær tea {part}",
            "price": 1999 + part,
            "quantity": 2,
            "url": f"https://shop.example/p/{part}",
            "image_url": f"https://cdn.example/{part}.png",
        }
        for part in range(3)
    ]
    return templates.render(
        "email",
        "cart",
        arguments={"items": items},
        profile={"first_name": f"Anna{number}", "last_name": "Lie"},
        shop={
            "name": "Tea & Co",
            "address": "Street 1",
            "url": "https://shop.example",
            "currency": "EUR",
            "zone": "UTC",
        },
        unsubscribe_url=f"https://shop.example/unsubscribe/{number}",
        key=f"key-{number}",
        address=f"person{number}@example.com",
        sender="Blåbær & Co <hello@shop.example>",
        date=DATE,
    )


def by_hand(text: str, html: str, number: int) -> bytes:
    return mime.skeleton("Blåbær & Co <hello@shop.example>").fill(
        key=f"key-{number}",
        name="Åsa Lie",
        address="asa@example.com",
        subject=f"Åsa, you left {number} things",
        text=text,
        html=html,
        date=DATE,
        unsubscribe_url="https://shop.example/unsubscribe/TOKEN",
    )


def by_the_standard_library(text: str, html: str, number: int) -> bytes:
    message = EmailMessage()
    message["From"] = "Blåbær & Co <hello@shop.example>"
    message["To"] = "Åsa Lie <asa@example.com>"
    message["Subject"] = f"Åsa, you left {number} things"
    message["Date"] = format_datetime(DATE)
    message["Message-ID"] = f"<{number}@shop.example>"
    message["List-Unsubscribe"] = "<https://shop.example/unsubscribe/TOKEN>"
    message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(text)
    message.add_alternative(html, subtype="html")
    return message.as_bytes()


class _Mailbox:
    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: ARG002, N802
        return "250 OK"


async def _sink(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 sink\r\n")
    try:
        while line := await reader.readline():
            if line.startswith(b"DATA"):
                writer.write(b"354 go on\r\n")
                await reader.readuntil(b"\r\n.\r\n")
            writer.write(b"221 bye\r\n" if line.startswith(b"QUIT") else b"250 OK\r\n")
    except ConnectionError:
        pass


def serve(kind: str, told: Connection) -> None:
    async def run() -> None:
        if kind == "sink":
            server: asyncio.Server = await asyncio.start_server(_sink, "127.0.0.1", 0, limit=1 << 20)
        else:
            server = await asyncio.get_running_loop().create_server(lambda: SMTP(_Mailbox()), "127.0.0.1", 0)
        told.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(run())


async def deliver(connector: Connector, templates: TemplateSet, count: int) -> float:
    began = time.perf_counter()
    async with connector:
        for start in range(0, count, 200):
            batch = [rendered(templates, number) for number in range(start, min(start + 200, count))]
            verdicts = [outcome.verdict async for outcome in connector.send(batch)]
            assert verdicts == [Verdict.ACCEPTED] * len(batch)
    return count / (time.perf_counter() - began)


def main(count: int) -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "email").mkdir()
        (folder / "email" / "cart.mjml").write_text(TEMPLATE)
        templates = load_templates(folder)
        message = rendered(templates, 0)
        html = "<p style='margin: 0; padding: 0; font-family: Arial'>Åsa, one line of many in this message</p>\n" * 150
        text = "One line of many in this message\n" * 30
        print(f"one rendered message: {len(message.content):,} bytes; the HTML put together: {len(html):,} characters")
        print(f"put together by hand:        {rate(count, lambda number: by_hand(text, html, number)):8,.0f} a second")
        library = rate(count // 10, lambda number: by_the_standard_library(text, html, number))
        print(f"by email.message:            {library:8,.0f} a second")
        print(f"rendered and put together:   {rate(count, lambda number: rendered(templates, number)):8,.0f} a second")
        outbox = asyncio.run(deliver(OutboxConnector(folder / "outbox"), templates, min(count, 1000)))
        print(f"… and written to files:      {outbox:8,.0f} a second")
        for kind in ("sink", "aiosmtpd"):
            ours, theirs = multiprocessing.Pipe()
            process = multiprocessing.Process(target=serve, args=(kind, theirs), daemon=True)
            process.start()
            port = ours.recv()
            for connections in (1, 4):
                settings = smtp_settings(f"smtp://127.0.0.1:{port}?connections={connections}")
                sent = asyncio.run(deliver(SmtpConnector(settings), templates, count))
                print(f"… and sent to {kind:9} by {connections}: {sent:8,.0f} a second")
            process.terminate()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2000)
