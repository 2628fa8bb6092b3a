"""The outline, the colours of names, and the grammar that editors colour the rest by."""

from __future__ import annotations

import json
import re
from pathlib import Path

from dsl.grammar import words
from dsl.lsp.positions import Lines
from dsl.lsp.symbols import Symbol, outline
from dsl.lsp.textmate import text, textmate
from dsl.lsp.tokens import TYPES, coloured, encoded
from tests.dsl.lsp.marked import PATH, project

ROOT = Path(__file__).parents[3]
EXTENSION = ROOT / "editors" / "vscode"
TEXT = """\
let minimum = $50  # 😀

playbook p:
  start on signed_up
  if cart.total > minimum:
    send email cart:
      items = cart.items
  otherwise:
    stop
  nonsense here
"""


def names(symbols: tuple[Symbol, ...]) -> list[object]:
    return [(each.name, names(each.inside)) if each.inside else each.name for each in symbols]


def test_the_outline_follows_the_blocks() -> None:
    assert names(outline(TEXT, PATH)) == [
        "minimum",
        ("p", ["start on signed_up", ("if cart.total > minimum", ["send email cart"]), ("otherwise", ["stop"])]),
    ]


def test_a_symbol_reaches_to_the_end_of_its_block() -> None:
    playbook = outline(TEXT, PATH)[1]
    assert (playbook.span.line, playbook.span.end_line) == (3, 10)
    assert (playbook.at.line, playbook.at.end_line) == (3, 3)


def test_names_have_their_own_colours() -> None:
    found = list(coloured(project({PATH: TEXT}), PATH, Lines(TEXT)))
    assert [(each.line, each.character, each.length, each.kind) for each in found][:5] == [
        (0, 4, 7, "variable"),
        (2, 9, 1, "class"),
        (3, 11, 9, "event"),
        (4, 5, 10, "property"),
        (4, 18, 7, "variable"),
    ]
    assert found[0].modifiers == ("declaration", "readonly")
    numbers = encoded(iter(found[:2]))
    assert numbers == [0, 4, 7, TYPES.index("variable"), 3, 2, 9, 1, TYPES.index("class"), 1]


# ── TextMate ──────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_the_extension_has_the_grammar_of_this_language() -> None:
    """Stale? `python -m dsl.lsp.textmate editors/vscode/syntaxes/playbook.tmLanguage.json`"""
    assert (EXTENSION / "syntaxes" / "playbook.tmLanguage.json").read_text("utf-8") == text()


def scopes(line: str) -> list[tuple[str, str]]:
    """The scopes of a line, by the rules of TextMate: the leftmost match wins, then the first pattern."""
    found: list[tuple[str, str]] = []
    at = 0
    while at < len(line):
        matches = [(m, each) for each in textmate()["patterns"] if (m := re.compile(each["match"]).search(line, at))]
        if not matches:
            break
        match, each = min(matches, key=lambda pair: pair[0].start())
        if "name" in each:
            found.append((match[0].strip(), each["name"]))
        else:
            found += [(match[int(n)], scope["name"]) for n, scope in each["captures"].items()]
        at = max(match.end(), at + 1)
    return [(piece, scope.removesuffix(".playbook")) for piece, scope in found]


def test_a_line_has_its_colours() -> None:
    assert scopes("  if cart.total >= $50 and has order_completed:  # why") == [
        ("if", "keyword.control"),
        ("cart.total", "variable.other.field"),
        (">=", "keyword.operator.comparison"),
        ("$50", "constant.numeric.money"),
        ("and", "keyword.operator.wordlike"),
        ("has", "keyword.operator.wordlike"),
        ("order_completed", "entity.name.type.event"),
        ("# why", "comment.line.number-sign"),
    ]
    assert scopes("playbook abandoned_cart:")[:2] == [
        ("playbook", "storage.type.declaration"),
        ("abandoned_cart", "entity.name.function.playbook"),
    ]
    assert scopes('    offer = "Free # shipping"') == [
        ("offer", "variable.parameter"),
        ("=", "keyword.operator.assignment"),
        ('"Free # shipping"', "string.quoted.double"),
    ]
    assert scopes("  wait 2 days")[1] == ("2 days", "constant.numeric.duration")
    assert scopes("  send email hello")[1:] == [
        ("email", "support.class.channel"),
        ("hello", "entity.name.function.template"),
    ]


def test_every_word_of_the_language_is_coloured_as_one() -> None:
    for kind, word in words().items():
        if word.isalpha() and kind not in {"TRUE", "FALSE", "NULL"}:
            told = scopes(f"{word} ")
            assert told, word
            assert told[0][1].startswith(("keyword.", "storage.", "constant.language.")), told


def test_what_the_extension_names_is_there() -> None:
    told = json.loads((EXTENSION / "package.json").read_text("utf-8"))
    gives = told["contributes"]
    paths = [told["main"], gives["languages"][0]["configuration"]]
    paths += [each["path"] for each in [*gives["grammars"], *gives["snippets"]]]
    for path in paths:
        assert (EXTENSION / path).is_file()
    assert gives["grammars"][0]["scopeName"] == textmate()["scopeName"]
    assert set(gives["semanticTokenScopes"][0]["scopes"]) <= {*TYPES, "variable.readonly"}


def test_snippets_hold_what_the_compiler_takes() -> None:
    from dsl.parser import parse

    found = json.loads((EXTENSION / "snippets" / "playbook.json").read_text("utf-8"))
    for name, snippet in found.items():
        body = "\n".join(re.sub(r"\$\{\d+:([^}]*)\}", r"\1", line).replace("$0", "") for line in snippet["body"])
        whole = body if body.startswith("playbook") else "playbook p:\n  " + body.replace("\n", "\n  ")
        assert parse(whole + "\n", name)[1] == (), name
