"""A wire between the product's SMTP connector and the provider that tells of what passes, and that can be cut."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading

from tests.faults.points import ANSWERED, COMMAND, CONNECTED, IN_BODY, TAKEN, Fault, Points

_RESET = struct.pack("ii", 1, 0)
"""SO_LINGER of no seconds: closing resets."""


class Relay:
    """Listens on `port`, and passes on to the provider. Ends with the process, or with `close`."""

    def __init__(self, provider: int, points: Points) -> None:
        self.points = points
        self._provider = provider
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """No new connections."""
        self._listening.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listening.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self._provider))
            _Wire(near, far, self.points).start()


class _Wire:
    def __init__(self, near: socket.socket, far: socket.socket, points: Points) -> None:
        self.near, self.far, self.points = near, far, points
        self.body = False
        """The provider has asked for a message."""

    def start(self) -> None:
        for pump in (self._out, self._back):
            threading.Thread(target=self._pump, args=(pump,), daemon=True).start()

    def _pump(self, pump: object) -> None:
        assert callable(pump)
        try:
            pump()
        except Fault:
            self.near.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        except OSError:
            pass
        for end in (self.near, self.far):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _out(self) -> None:
        self.points.passing(CONNECTED)
        while chunk := self.near.recv(1 << 16):
            if self.body:
                half = len(chunk) // 2
                self.far.sendall(chunk[:half])
                self.points.passing(IN_BODY)
                self.far.sendall(chunk[half:])
            else:
                self.points.passing(COMMAND)
                self.far.sendall(chunk)

    def _back(self) -> None:
        while chunk := self.far.recv(1 << 16):
            answers_message = self.body
            if answers_message:
                self.points.passing(TAKEN)
            self.body = chunk.startswith(b"354")
            self.near.sendall(chunk)
            if answers_message:
                self.points.passing(ANSWERED)
