"""The language server: an editor's questions to the functions beside this file, and their answers back.

Texts are checked a moment after the last key, in a thread of their own; questions are answered at once.
"""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer

from dsl.diagnostics import Edit, Span
from dsl.format import canonical
from dsl.lsp import actions, completion, definition, hover, rename, symbols, tokens, translate
from dsl.lsp.desk import Desk, Services
from dsl.lsp.positions import Lines, Position
from dsl.parser import parse

PAUSE = 0.2
"""Seconds without a key after which a text is checked."""
_REQUEST_FAILED = -32803


class Server(LanguageServer):
    """Keeps one desk for each project, and knows which text lies on which."""

    def __init__(self, services: Services) -> None:
        # Whole texts: a change by stretches would have to be counted in lines exactly as the editor counts them.
        super().__init__("winback", services.version, text_document_sync_kind=lsp.TextDocumentSyncKind.Full)
        self.services = services
        self.desks: dict[Path | str, Desk] = {}
        self.places: dict[str, tuple[Desk, str]] = {}
        """The desk and the path of each open text, by its address."""
        self._shown: dict[int, set[str]] = {}
        """The addresses for which each desk has shown problems."""
        self._pending: dict[int, asyncio.Task[None]] = {}
        self._said: set[str] = set()
        self.asks_again = False
        """The editor knows VS Code's command that offers what comes next: its extension tells."""

    # ── Which text is where ───────────────────────────────────────────────────────────────────────────────────────────
    def place(self, uri: str) -> tuple[Desk, str]:
        """The desk of a text, and the text's path on it."""
        if uri in self.places:
            return self.places[uri]
        path = _path(uri)
        if path is None:
            desk = self.desks.setdefault(uri, Desk(folder=None, services=self.services))
            return desk, uri
        home = self.services.home(path)
        desk = self.desks.setdefault(home, Desk(folder=home, services=self.services))
        return desk, str(path.relative_to(home)) if path.is_relative_to(home) else str(path)

    def uri(self, desk: Desk, path: str) -> str:
        """The address of a file, as the editor wrote it where it is open."""
        for uri, (other, known) in self.places.items():
            if other is desk and known == path:
                return uri
        return (desk.folder / path).as_uri() if desk.folder is not None else path

    def asked(self, uri: str, at: lsp.Position) -> tuple[Desk, str, int, int]:
        """The desk and the path of a text, and our line and column of a place in it."""
        desk, path = self.place(uri)
        line, column = self.lines(desk, path).place(Position(line=at.line, character=at.character))
        return desk, path, line, column

    def lines(self, desk: Desk, path: str) -> Lines:
        return self.count(desk.project.sources.get(path, ""))

    def count(self, source: str) -> Lines:
        """A text's lines, in the units that the editor counts in."""
        encoding = self.workspace.position_encoding
        return Lines(source, "utf-8" if encoding == "utf-8" else "utf-32" if encoding == "utf-32" else "utf-16")

    # ── Checking ──────────────────────────────────────────────────────────────────────────────────────────────────────
    def check_soon(self, desk: Desk, *, refresh: bool = False, pause: float = PAUSE) -> None:
        """Checks a project when nothing has changed for a moment."""
        if before := self._pending.get(id(desk)):
            before.cancel()
        task = asyncio.get_running_loop().create_task(self._check(desk, refresh, pause))
        self._pending[id(desk)] = task

    async def _check(self, desk: Desk, refresh: bool, pause: float) -> None:
        await asyncio.sleep(pause)
        if refresh:
            await asyncio.to_thread(desk.refresh)
        for trouble in desk.troubles:
            if trouble not in self._said:
                self._said.add(trouble)
                self.say(f"{trouble} Until then, only the names that every store has are known.")
        problems = await asyncio.to_thread(desk.compile)
        texts = desk.sources
        by_path: dict[str, list[lsp.Diagnostic]] = {path: [] for path in desk.buffers}
        lines: dict[str, Lines] = {}
        for problem in problems:
            path = problem.span.file
            if path not in texts:
                continue
            lines.setdefault(path, self.count(texts[path]))
            by_path.setdefault(path, []).append(translate.diagnostic(problem, lines[path]))
        shown = {self.uri(desk, path): found for path, found in by_path.items()}
        for uri in self._shown.get(id(desk), set()) - shown.keys():
            shown[uri] = []
        for uri, found in shown.items():
            self.text_document_publish_diagnostics(lsp.PublishDiagnosticsParams(uri=uri, diagnostics=found))
        self._shown[id(desk)] = {uri for uri, found in shown.items() if found}

    def say(self, message: str) -> None:
        """Shows a sentence in the editor."""
        self.window_show_message(lsp.ShowMessageParams(type=lsp.MessageType.Warning, message=message))

    def read(self, desk: Desk, path: str) -> str | None:
        """The text of a file beside the playbooks, such as a template."""
        try:
            return (desk.folder / path).read_text("utf-8")[:10_000] if desk.folder is not None else None
        except (OSError, UnicodeDecodeError):
            return None

    def edits(self, desk: Desk, edits: tuple[Edit, ...]) -> lsp.WorkspaceEdit:
        changes: dict[str, list[lsp.TextEdit]] = {}
        for edit in edits:
            where = translate.stretch(self.lines(desk, edit.span.file).range(edit.span))
            uri = self.uri(desk, edit.span.file)
            changes.setdefault(uri, []).append(lsp.TextEdit(range=where, new_text=edit.text))
        return lsp.WorkspaceEdit(changes=changes)

    def location(self, desk: Desk, span: Span) -> lsp.Location:
        where = translate.stretch(self.lines(desk, span.file).range(span))
        return lsp.Location(uri=self.uri(desk, span.file), range=where)


def serve(services: Services) -> None:
    """Answers an editor on standard input and output until it says goodbye."""
    logging.getLogger("pygls").setLevel(logging.ERROR)
    logging.getLogger("pygls.protocol.json_rpc").addFilter(_is_no_refusal)
    make(services).start_io()


def make(services: Services) -> Server:
    """The server, with all that it answers."""
    server = Server(services)
    _follow(server)
    _answer_about_places(server)
    _answer_about_texts(server)
    return server


def _follow(server: Server) -> None:
    """What happens to texts."""

    @server.feature(lsp.INITIALIZE)
    def _begin(ls: Server, params: lsp.InitializeParams) -> None:
        options: Any = params.initialization_options
        ls.asks_again = isinstance(options, dict) and options.get("asksAgain") is True

    @server.feature(lsp.TEXT_DOCUMENT_DID_OPEN)
    def _opened(ls: Server, params: lsp.DidOpenTextDocumentParams) -> None:
        desk, path = ls.places[params.text_document.uri] = ls.place(params.text_document.uri)
        desk.write(path, params.text_document.text)
        ls.check_soon(desk, refresh=True, pause=0)

    @server.feature(lsp.TEXT_DOCUMENT_DID_CHANGE)
    def _changed(ls: Server, params: lsp.DidChangeTextDocumentParams) -> None:
        desk, path = ls.place(params.text_document.uri)
        for change in params.content_changes:
            desk.write(path, change.text)
        ls.check_soon(desk)

    @server.feature(lsp.TEXT_DOCUMENT_DID_CLOSE)
    def _closed(ls: Server, params: lsp.DidCloseTextDocumentParams) -> None:
        uri = params.text_document.uri
        desk, path = ls.place(uri)
        desk.write(path, None)
        ls.check_soon(desk, refresh=True, pause=0)
        ls.places.pop(uri, None)

    @server.feature(lsp.TEXT_DOCUMENT_DID_SAVE)
    def _saved(ls: Server, params: lsp.DidSaveTextDocumentParams) -> None:
        ls.check_soon(ls.place(params.text_document.uri)[0], refresh=True, pause=0)

    @server.feature(lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    def _files_changed(ls: Server, _: lsp.DidChangeWatchedFilesParams) -> None:
        for desk in ls.desks.values():
            ls.check_soon(desk, refresh=True)


def _answer_about_places(server: Server) -> None:
    """Questions about one place of a text."""

    @server.feature(lsp.TEXT_DOCUMENT_COMPLETION, lsp.CompletionOptions(trigger_characters=[" ", "."]))
    def _complete(ls: Server, params: lsp.CompletionParams) -> lsp.CompletionList:
        desk, path, line, column = ls.asked(params.text_document.uri, params.position)
        source = desk.project.sources.get(path, "")
        items = completion.complete(source, line, column, desk.project)
        return translate.completions(
            items, line, column, ls.count(source), snippets=_knows_snippets(ls), asks_again=ls.asks_again
        )

    @server.feature(lsp.TEXT_DOCUMENT_HOVER)
    def _hover(ls: Server, params: lsp.HoverParams) -> lsp.Hover | None:
        desk, path, line, column = ls.asked(params.text_document.uri, params.position)
        found = hover.hover(desk.project, path, line, column, lambda name: ls.read(desk, name))
        if found is None:
            return None
        where = translate.stretch(ls.lines(desk, path).range(found.span))
        text = lsp.MarkupContent(kind=lsp.MarkupKind.Markdown, value=found.markdown)
        return lsp.Hover(contents=text, range=where)

    @server.feature(lsp.TEXT_DOCUMENT_DEFINITION)
    def _define(ls: Server, params: lsp.DefinitionParams) -> lsp.Location | None:
        desk, path, line, column = ls.asked(params.text_document.uri, params.position)
        span = definition.definition(desk.project, path, line, column)
        return ls.location(desk, span) if span else None

    @server.feature(lsp.TEXT_DOCUMENT_REFERENCES)
    def _refer(ls: Server, params: lsp.ReferenceParams) -> list[lsp.Location]:
        desk, path, line, column = ls.asked(params.text_document.uri, params.position)
        own = params.context.include_declaration
        spans = definition.references(desk.project, path, line, column, declaration=own)
        return [ls.location(desk, span) for span in spans]

    @server.feature(lsp.TEXT_DOCUMENT_DOCUMENT_HIGHLIGHT)
    def _highlight(ls: Server, params: lsp.DocumentHighlightParams) -> list[lsp.DocumentHighlight]:
        desk, path, line, column = ls.asked(params.text_document.uri, params.position)
        lines = ls.lines(desk, path)
        spans = definition.references(desk.project, path, line, column)
        return [lsp.DocumentHighlight(range=translate.stretch(lines.range(s))) for s in spans if s.file == path]

    @server.feature(lsp.TEXT_DOCUMENT_PREPARE_RENAME)
    def _prepare(ls: Server, params: lsp.PrepareRenameParams) -> lsp.PrepareRenamePlaceholder:
        desk, path, line, column = ls.asked(params.text_document.uri, params.position)
        found = rename.renameable(desk.project, path, line, column)
        if isinstance(found, rename.Refused):
            raise JsonRpcException(found.reason, _REQUEST_FAILED)
        where = translate.stretch(ls.lines(desk, path).range(found.span))
        return lsp.PrepareRenamePlaceholder(range=where, placeholder=found.text)

    @server.feature(lsp.TEXT_DOCUMENT_RENAME, lsp.RenameOptions(prepare_provider=True))
    def _rename(ls: Server, params: lsp.RenameParams) -> lsp.WorkspaceEdit:
        desk, path, line, column = ls.asked(params.text_document.uri, params.position)
        found = rename.rename(desk.project, path, line, column, params.new_name)
        if isinstance(found, rename.Refused):
            raise JsonRpcException(found.reason, _REQUEST_FAILED)
        if found.note:
            ls.say(found.note)
        return ls.edits(desk, tuple(Edit(span=span, text=params.new_name) for span in found.spans))


def _answer_about_texts(server: Server) -> None:
    """Questions about a whole text."""

    @server.feature(lsp.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
    def _outline(ls: Server, params: lsp.DocumentSymbolParams) -> list[lsp.DocumentSymbol]:
        desk, path = ls.place(params.text_document.uri)
        lines = ls.lines(desk, path)
        return [translate.symbol(each, lines) for each in symbols.outline(desk.project.sources.get(path, ""), path)]

    @server.feature(lsp.TEXT_DOCUMENT_FORMATTING)
    def _format(ls: Server, params: lsp.DocumentFormattingParams) -> list[lsp.TextEdit]:
        desk, path = ls.place(params.text_document.uri)
        source = desk.project.sources.get(path, "")
        if any(problem.severity == "error" for problem in parse(source, path)[1]):
            return []
        text = canonical(source)
        return (
            [] if text == source else [lsp.TextEdit(range=translate.stretch(ls.count(source).whole()), new_text=text)]
        )

    @server.feature(
        lsp.TEXT_DOCUMENT_CODE_ACTION, lsp.CodeActionOptions(code_action_kinds=[lsp.CodeActionKind.QuickFix])
    )
    def _act(ls: Server, params: lsp.CodeActionParams) -> list[lsp.CodeAction]:
        desk, path, first, _ = ls.asked(params.text_document.uri, params.range.start)
        last = ls.asked(params.text_document.uri, params.range.end)[2]
        lines = ls.lines(desk, path)
        return [
            lsp.CodeAction(
                title=each.title,
                kind=lsp.CodeActionKind.QuickFix,
                diagnostics=[translate.diagnostic(problem, lines) for problem in each.problems],
                is_preferred=each.preferred or None,
                edit=ls.edits(desk, each.edits),
            )
            for each in actions.actions(desk.compile(), path, first, last)
        ]

    legend = lsp.SemanticTokensLegend(token_types=list(tokens.TYPES), token_modifiers=list(tokens.MODIFIERS))

    @server.feature(lsp.TEXT_DOCUMENT_SEMANTIC_TOKENS_FULL, legend)
    def _colour(ls: Server, params: lsp.SemanticTokensParams) -> lsp.SemanticTokens:
        desk, path = ls.place(params.text_document.uri)
        return lsp.SemanticTokens(data=tokens.encoded(tokens.coloured(desk.project, path, ls.lines(desk, path))))


def _is_no_refusal(record: logging.LogRecord) -> bool:
    """A name that cannot be had is told to the reader, and is nothing for a log."""
    return not (record.exc_info and isinstance(record.exc_info[1], JsonRpcException))


def _path(uri: str) -> Path | None:
    """The file of an address; None for a text that is in no file."""
    parts = urlsplit(uri)
    if parts.scheme != "file":
        return None
    path = unquote(parts.path)
    drive = len(path) > 2 and path[0] == "/" and path[2] == ":"  # file:///c:/shop
    return Path(path[1:] if drive else path)


def _knows_snippets(ls: Server) -> bool:
    about = ls.client_capabilities.text_document
    item = about.completion.completion_item if about and about.completion else None
    return bool(item and item.snippet_support)
