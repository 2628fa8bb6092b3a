"""A real SMTP server (aiosmtpd) that notes whom it has accepted a message for, before it says so.

    python -m tests.acceptance.smtp_log LOG [SECONDS]

It prints its port. LOG gets one line a message, `recipient message-id`, on the disk before the answer goes out; SECONDS
is how long each message takes.
"""

from __future__ import annotations

import asyncio
import os
import sys
from email import message_from_bytes
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session


class Log:
    def __init__(self, path: Path, seconds: float) -> None:
        self.file = path.open("ab", buffering=0)
        self.seconds = seconds

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        await asyncio.sleep(self.seconds)
        assert isinstance(envelope.content, bytes)
        key = message_from_bytes(envelope.content)["Message-ID"]
        for recipient in envelope.rcpt_tos:
            self.file.write(f"{recipient} {key}\n".encode())
        os.fsync(self.file.fileno())
        return "250 OK"


async def serve(log: Log) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(log, hostname="localhost"), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(Log(Path(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else 0.0)))
