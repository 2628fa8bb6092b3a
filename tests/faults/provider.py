"""A provider in a process of its own: each message that it takes is a line in a file, on the disk before it answers.

`python -m tests.faults.provider LOG` prints its port. A line in is `key address step`, a line out `ok`.
"""

from __future__ import annotations

import os
import socketserver
import sys
import threading
import time
from pathlib import Path
from typing import BinaryIO

_one_at_a_time = threading.Lock()


class Handler(socketserver.StreamRequestHandler):
    log: BinaryIO

    def handle(self) -> None:
        for line in self.rfile:
            with _one_at_a_time:
                self.log.write(line)
                self.log.flush()
                os.fsync(self.log.fileno())
                time.sleep(0.001)
            try:
                self.wfile.write(b"ok\n")
            except OSError:
                # The sender was killed between its message and our answer: it is in the log all the same.
                return


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A reset connection is what this test is about."""


def main() -> None:
    with Path(sys.argv[1]).open("ab") as Handler.log, Server(("127.0.0.1", 0), Handler) as server:
        print(server.server_address[1], flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
