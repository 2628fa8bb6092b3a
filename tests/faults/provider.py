"""An SMTP server in a process of its own: each message that it takes is a line in a file, on disk before it answers.

`python -m tests.faults.provider LOG` prints its port. A line is `send-id address subject`.
"""

from __future__ import annotations

import os
import socketserver
import sys
import threading
from email import message_from_bytes
from pathlib import Path
from typing import BinaryIO


class Handler(socketserver.StreamRequestHandler):
    disable_nagle_algorithm = True

    def handle(self) -> None:
        try:
            self._talk()
        except OSError:
            """Whoever sent was killed: what was taken is in the log all the same."""

    def _talk(self) -> None:
        self._say(b"220 ready")
        address = ""
        for line in self.rfile:
            match line.split(b" ", 1)[0].strip().upper():
                case b"QUIT":
                    return self._say(b"221 bye")
                case b"RCPT":
                    address = line.decode().partition("<")[2].partition(">")[0]
                    self._say(b"250 ok")
                case b"DATA":
                    self._say(b"354 go on")
                    body = self._body()
                    if body is None:
                        return None
                    self._note(address, body)
                    self._say(b"250 taken")
                case _:
                    self._say(b"250 ok")
        return None

    def _body(self) -> bytes | None:
        """The message, or None when the connection ended in the middle: then nothing was taken."""
        lines: list[bytes] = []
        for line in self.rfile:
            if line == b".\r\n":
                return b"".join(lines)
            lines.append(line)
        return None

    def _note(self, address: str, body: bytes) -> None:
        message = message_from_bytes(body)
        assert isinstance(self.server, Server)
        self.server.note(f"{message['X-Winback-Send']} {address} {message['Subject']}\n".encode())

    def _say(self, line: bytes) -> None:
        self.wfile.write(line + b"\r\n")


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 100

    def __init__(self, log: BinaryIO) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self._log = log
        self._one_at_a_time = threading.Lock()

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def note(self, line: bytes) -> None:
        """Write down a message, on the disk."""
        with self._one_at_a_time:
            self._log.write(line)
            self._log.flush()
            os.fsync(self._log.fileno())

    def handle_error(self, request: object, client_address: object) -> None:
        """A reset connection is what these tests are about."""


def main() -> None:
    with Path(sys.argv[1]).open("ab") as log, Server(log) as server:
        print(server.port, flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
