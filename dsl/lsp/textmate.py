"""The TextMate grammar, by which editors colour words and values, made out of the language's own grammar.

`python -m dsl.lsp.textmate FILE` writes it. A test holds that the file of the VS Code extension is what this makes.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from dsl.complaints.vocabulary import PLACES
from dsl.grammar import grammar, words
from dsl.lsp.roles import AFTER, FIRST, Role

_SCOPES = {
    "DATE": "constant.numeric.date",
    "CLOCK_TIME": "constant.numeric.time",
    "DURATION": "constant.numeric.duration",
    "PERCENT": "constant.numeric.percent",
    "MONEY": "constant.numeric.money",
    "NUMBER": "constant.numeric",
    "WEEKDAY": "constant.language.weekday",
    "OPERATOR": "keyword.operator.comparison",
    "FOREIGN_SIGN": "invalid.illegal.sign",
    "CURLY_TEXT": "invalid.illegal.quotes",
}
"""What each kind of value is called by editors' themes."""
_NAMES = {
    Role.EVENT: "entity.name.type.event",
    Role.CHANNEL: "support.class.channel",
    Role.TEMPLATE: "entity.name.function.template",
    Role.SEGMENT: "entity.name.type.segment",
    Role.AUDIENCE: "entity.name.type.audience",
}
_PARAMETER = "variable.parameter"
_STEP = "keyword.control"
_WORD = "keyword.operator.wordlike"
_DECLARED = {
    "LET": "variable.other.constant",
    "FIELD": "variable.other.field",
    "PLAYBOOK": "entity.name.function.playbook",
    "EXPERIMENT": "entity.name.function.experiment",
    "VARIANT": "entity.name.function.variant",
}
"""What the names of declarations are called; others are types."""
_HERE = r"(?:^\s*|(?<![\w.-]))"
"""The start of a line or of a word. (The leftmost match wins, so the blanks before the first word count.)"""


def textmate() -> dict[str, Any]:
    """The grammar as VS Code reads it."""
    name = _name()
    dotted = rf"{name}(?:\.{name})*"
    declaring = [words()[kind] for kind, place in PLACES.items() if place == "file"]
    starters = [words()[kind] for kind, place in PLACES.items() if place != "file"]
    others = [word for kind, word in words().items() if word.isalpha() and kind not in {"YES", "TRUE", "FALSE"}]
    patterns = [
        _one("comment.line.number-sign", "#.*$"),
        _one("string.quoted.double", '"[^"]*"'),
        *(
            _captured(rf"^\s*({words()[kind]})\s+({dotted})", "storage.type.declaration", _declared(kind))
            for kind in FIRST
        ),
        _captured(rf"^\s+({dotted})\s*(=)", _PARAMETER, "keyword.operator.assignment"),
        _captured(rf"^\s+({name})\s+(is|when|otherwise)(?![\w-])", _PARAMETER, _WORD),
        _captured(rf"{_HERE}(send)\s+({name})\s+({name})", _STEP, _NAMES[Role.CHANNEL], _NAMES[Role.TEMPLATE]),
        *(
            _captured(rf"{_HERE}({_any(kinds)})\s+({name})", keyword, scope)
            for role, scope in _NAMES.items()
            for keyword, kinds in _before(role)
        ),
        _captured(rf"(?<![\w.])(event)((?:\.{name})+)", "variable.language.event", "variable.other.property"),
        *(_one(_SCOPES[kind], pattern) for kind, pattern in _literals()),
        _one("constant.language.boolean", _word(words()["YES"], words()["NO"]) + r"(?!\s+\w)"),
        _one("storage.type.declaration", rf"^\s*{_word(*declaring)}"),
        _one(_STEP, rf"^\s*{_word(*starters, words()['OTHERWISE'])}"),
        _one(_WORD, _word(*others)),
        _one("variable.other.field", dotted),
        _one("keyword.operator.assignment", "="),
    ]
    return {
        "name": "Playbook",
        "scopeName": "source.playbook",
        "fileTypes": ["playbook"],
        "patterns": patterns,
    }


def _name() -> str:
    """A name that is no word of the language."""
    pattern = next(each for each in grammar().terminals if each.name == "NAME").pattern.to_regexp()
    return rf"(?!{_word(*(word for word in words().values() if word.isalpha()))})(?:{pattern})"


def _declared(kind: str) -> str:
    return _DECLARED.get(kind, f"entity.name.type.{words()[kind]}")


def _before(role: Role) -> Iterable[tuple[str, list[str]]]:
    """The words behind which a name of this kind stands, by their own scope: those that begin a line and others."""
    kinds = [kind for kind, of in AFTER.items() if of is role and kind in words()]
    for scope, found in (
        (_STEP, [kind for kind in kinds if kind in PLACES]),
        (_WORD, [kind for kind in kinds if kind not in PLACES]),
    ):
        if found:
            yield scope, sorted(words()[kind] for kind in found)


def _literals() -> Iterable[tuple[str, str]]:
    """Each kind of value with its pattern, in the order in which they are tried."""
    known = {each.name: each for each in grammar().terminals}
    kinds = sorted((kind for kind in _SCOPES if kind in known), key=lambda kind: -known[kind].priority)
    for kind in kinds:
        pattern = known[kind].pattern.to_regexp()
        yield kind, rf"(?<![\w.]){pattern}" if pattern[0] in "[(" and kind != "CURLY_TEXT" else pattern


def _any(parts: Iterable[str]) -> str:
    return "|".join(re.escape(part) for part in parts)


def _word(*parts: str) -> str:
    return rf"(?<![\w.-])(?:{_any(sorted(parts))})(?![\w-])"


def _one(scope: str, pattern: str) -> dict[str, Any]:
    return {"name": f"{scope}.playbook", "match": pattern}


def _captured(pattern: str, *scopes: str) -> dict[str, Any]:
    return {"match": pattern, "captures": {str(n): {"name": f"{scope}.playbook"} for n, scope in enumerate(scopes, 1)}}


def text() -> str:
    """The grammar as its file holds it."""
    return json.dumps(textmate(), ensure_ascii=False, indent=2) + "\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(text(), "utf-8")
