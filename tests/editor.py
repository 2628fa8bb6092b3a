"""A small editor: speaks the language server protocol over a process's standard input and output."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import Any

PATIENCE = 60
"""Seconds to wait for an answer."""
CAPABILITIES = {
    "textDocument": {
        "completion": {"completionItem": {"snippetSupport": True}},
        "rename": {"prepareSupport": True},
        "codeAction": {"codeActionLiteralSupport": {"codeActionKind": {"valueSet": ["quickfix"]}}},
        "documentSymbol": {"hierarchicalDocumentSymbolSupport": True},
    }
}


class RefusedError(Exception):
    """The server answered with an error."""


class Editor:
    """Texts are called by their files; places are `(line, character)` as the protocol counts them."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.inbox: Queue[dict[str, Any] | None] = Queue()
        self.notices: deque[dict[str, Any]] = deque()
        self.messages: list[str] = []
        """Sentences that the server showed."""
        self._number = 0
        self._versions: dict[str, int] = {}
        Thread(target=self._listen, daemon=True).start()

    # ── The wire ──────────────────────────────────────────────────────────────────────────────────────────────────────
    def _listen(self) -> None:
        stream = self.process.stdout
        assert stream
        while line := stream.readline():
            length = int(line.partition(b":")[2])
            while stream.readline().strip():
                pass
            self.inbox.put(json.loads(stream.read(length)))
        self.inbox.put(None)

    def _write(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self.process.stdin
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.process.stdin.flush()

    def ask(self, method: str, params: Any = None) -> Any:
        """The answer to a question. Raises RefusedError."""
        self._number += 1
        self._write({"id": self._number, "method": method, "params": params})
        while True:
            message = self.inbox.get(timeout=PATIENCE)
            assert message is not None, "the server has ended"
            if message.get("id") == self._number and "method" not in message:
                if "error" in message:
                    raise RefusedError(message["error"]["message"])
                return message.get("result")
            self._heard(message)

    def tell(self, method: str, params: Any = None) -> None:
        self._write({"method": method, "params": params})

    def _heard(self, message: dict[str, Any]) -> None:
        if message.get("method") == "window/showMessage":
            self.messages.append(message["params"]["message"])
        elif "method" in message:
            self.notices.append(message)

    # ── An editor's habits ────────────────────────────────────────────────────────────────────────────────────────────
    def begin(self, folder: Path, **more: Any) -> Any:
        told = {"processId": None, "rootUri": folder.as_uri(), "capabilities": CAPABILITIES, **more}
        answer = self.ask("initialize", told)
        self.tell("initialized", {})
        return answer

    def end(self) -> int:
        """Says goodbye; the exit code."""
        self.ask("shutdown")
        self.tell("exit")
        return self.process.wait(timeout=PATIENCE)

    def open(self, file: Path, text: str | None = None) -> None:
        document = {"uri": file.as_uri(), "languageId": "playbook", "version": 1, "text": text or file.read_text()}
        self.tell("textDocument/didOpen", {"textDocument": document})

    def type(self, file: Path, text: str) -> None:
        """The text as it is after some keys."""
        version = self._versions[str(file)] = self._versions.get(str(file), 1) + 1
        document = {"uri": file.as_uri(), "version": version}
        self.tell("textDocument/didChange", {"textDocument": document, "contentChanges": [{"text": text}]})

    def problems(self, file: Path) -> list[dict[str, Any]]:
        """The problems of a file, the next time that they are shown."""
        while True:
            for notice in list(self.notices):
                self.notices.remove(notice)
                if notice["method"] == "textDocument/publishDiagnostics" and notice["params"]["uri"] == file.as_uri():
                    found: list[dict[str, Any]] = notice["params"]["diagnostics"]
                    return found
            message = self.inbox.get(timeout=PATIENCE)
            assert message is not None, "the server has ended"
            self._heard(message)

    def at(self, method: str, file: Path, line: int, character: int, **more: Any) -> Any:
        """The answer to a question about a place."""
        place = {"line": line, "character": character}
        return self.ask(f"textDocument/{method}", {"textDocument": {"uri": file.as_uri()}, "position": place, **more})

    def of(self, method: str, file: Path, **more: Any) -> Any:
        """The answer to a question about a text."""
        return self.ask(f"textDocument/{method}", {"textDocument": {"uri": file.as_uri()}, **more})


@contextmanager
def editor(folder: Path) -> Iterator[Editor]:
    """An editor with its server; the server is ended at the end of the block, whatever happens."""
    root = Path(__file__).parents[1]
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(root)!r}); from cli import main; main()"]
    process = subprocess.Popen([*command, "lsp"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=folder)
    try:
        yield Editor(process)
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            assert stream
            stream.close()
