"""The program of the project's own Prefect server. It ends when its standard input does.

`flows.local` starts it and holds the other end of that pipe: however that process ends, even killed, the server ends
with it. The first line on standard output is the port.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import uvicorn

HOST = "127.0.0.1"
PORT_REFUSED = 98


def main(arguments: list[str] | None = None) -> None:
    """Serve until standard input ends. Exits with PORT_REFUSED when the port cannot be had."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--port", type=int, default=0, help="0: any free one")
    options.add_argument("--pages", action="store_true", help="serve the pages and run all services, not only the API")
    chosen = options.parse_args(arguments)
    # Bound here and kept: no other process can take the port in between.
    try:
        listening = socket.create_server((HOST, chosen.port))
    except OSError as error:
        print(f"port {chosen.port}: {error.strerror}", file=sys.stderr)
        sys.exit(PORT_REFUSED)
    port = listening.getsockname()[1]
    # Read when Prefect is imported. Without them the pages would ask the server's default port.
    os.environ.update(PREFECT_SERVER_API_HOST=HOST, PREFECT_SERVER_API_PORT=str(port))
    print(port, flush=True)
    threading.Thread(target=_end_with_input, daemon=True).start()

    import uvicorn
    from prefect.server.api.server import create_app

    app = create_app(ephemeral=not chosen.pages, final=True)
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="on"))
    _start_alone(Path(os.environ["PREFECT_HOME"]).expanduser(), server)
    server.run(sockets=[listening])


def _start_alone(home: Path, server: uvicorn.Server) -> None:
    """Hold a lock on the home until the server has started: of two that migrate a new database at once, one dies."""
    try:
        import fcntl
    except ImportError:
        return  # Windows: a second command started in the first seconds of a new project may have to be tried again
    lock = (home / "starting.lock").open("w")
    fcntl.flock(lock, fcntl.LOCK_EX)

    def release() -> None:
        while not server.started:
            time.sleep(0.05)
        lock.close()

    threading.Thread(target=release, daemon=True).start()


def _end_with_input() -> None:
    # The descriptor and not sys.stdin, whose lock would be held when the interpreter ends.
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
