"""From our values to those of the language server protocol."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count
from typing import Final

from lsprotocol import types as lsp

from dsl.diagnostics import Diagnostic
from dsl.lsp.completion import Item
from dsl.lsp.positions import Lines, Position, Range
from dsl.lsp.roles import Role
from dsl.lsp.symbols import Symbol

_SEVERITIES: Final = {"error": lsp.DiagnosticSeverity.Error, "warning": lsp.DiagnosticSeverity.Warning}
_ITEMS: Final = {
    "word": lsp.CompletionItemKind.Keyword,
    "value": lsp.CompletionItemKind.Value,
    Role.ARGUMENT.value: lsp.CompletionItemKind.Variable,
    Role.CHANNEL.value: lsp.CompletionItemKind.EnumMember,
    Role.CONSTANT.value: lsp.CompletionItemKind.Constant,
    Role.EVENT.value: lsp.CompletionItemKind.Event,
    Role.FIELD.value: lsp.CompletionItemKind.Field,
    Role.PLAYBOOK.value: lsp.CompletionItemKind.Class,
    Role.PROPERTY.value: lsp.CompletionItemKind.Property,
    Role.SEGMENT.value: lsp.CompletionItemKind.Interface,
    Role.TEMPLATE.value: lsp.CompletionItemKind.File,
    Role.TYPE.value: lsp.CompletionItemKind.TypeParameter,
}
_SYMBOLS: Final = {
    "audience": lsp.SymbolKind.Array,
    "event": lsp.SymbolKind.Event,
    "experiment": lsp.SymbolKind.Enum,
    "field": lsp.SymbolKind.Field,
    "if": lsp.SymbolKind.Boolean,
    "let": lsp.SymbolKind.Constant,
    "lifecycle": lsp.SymbolKind.Enum,
    "otherwise": lsp.SymbolKind.Boolean,
    "playbook": lsp.SymbolKind.Class,
    "policy": lsp.SymbolKind.Module,
    "scenario": lsp.SymbolKind.Method,
    "segment": lsp.SymbolKind.Interface,
    "send": lsp.SymbolKind.Function,
    "variant": lsp.SymbolKind.EnumMember,
}
_ASK_AGAIN = "editor.action.triggerSuggest"


def position(place: Position) -> lsp.Position:
    return lsp.Position(line=place.line, character=place.character)


def stretch(where: Range) -> lsp.Range:
    return lsp.Range(start=position(where.start), end=position(where.end))


def diagnostic(problem: Diagnostic, lines: Lines) -> lsp.Diagnostic:
    """The hint stands below the message: editors have no other place for it."""
    hint = f"\nHint: {problem.hint}" if problem.hint else ""
    return lsp.Diagnostic(
        range=stretch(lines.range(problem.span)),
        severity=_SEVERITIES[problem.severity],
        code=problem.code,
        source="winback",
        message=problem.message + hint,
    )


def completions(
    items: Iterable[Item], line: int, column: int, lines: Lines, *, snippets: bool, asks_again: bool
) -> lsp.CompletionList:
    """`snippets`: the editor knows blanks. `asks_again`: it can be told to offer what comes next."""
    numbers = count()
    end = lines.position(line, column)
    found = []
    for item in sorted(items, key=lambda item: item.rank):
        where = Range(start=lines.position(line, column - item.replaces), end=end)
        text = item.insert if snippets else item.plain
        again = lsp.Command(title="Offer what comes next", command=_ASK_AGAIN)
        found.append(
            lsp.CompletionItem(
                label=item.label,
                kind=_ITEMS.get(item.kind, lsp.CompletionItemKind.Reference),
                detail=item.detail or None,
                documentation=lsp.MarkupContent(kind=lsp.MarkupKind.Markdown, value=item.about) if item.about else None,
                sort_text=f"{next(numbers):04}",
                filter_text=item.label,
                text_edit=lsp.TextEdit(range=stretch(where), new_text=text),
                insert_text_format=lsp.InsertTextFormat.Snippet if snippets else lsp.InsertTextFormat.PlainText,
                insert_text_mode=lsp.InsertTextMode.AdjustIndentation,
                command=again if asks_again and item.goes_on else None,
            )
        )
    return lsp.CompletionList(is_incomplete=False, items=found)


def symbol(each: Symbol, lines: Lines) -> lsp.DocumentSymbol:
    return lsp.DocumentSymbol(
        name=each.name or each.kind,
        detail=each.kind if each.inside or each.name != each.kind else None,
        kind=_SYMBOLS.get(each.kind, lsp.SymbolKind.Key),
        range=stretch(lines.range(each.span)),
        selection_range=stretch(lines.range(each.at)),
        children=[symbol(inner, lines) for inner in each.inside] or None,
    )
