"""A file's tokens as statements: one line of words each, with its indentation and the comments around it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from lark import Token

from dsl.diagnostics import source_lines
from dsl.grammar import lex
from dsl.reading.characters import plain

_TAB = 2
_JOINING = frozenset({"AND", "OR", "COMMA"})
_OPERAND = frozenset({"NAME", "HAS", "CAN", "IN", "NOT", "LPAR", "EVENT", "STRING", "MONEY", "NUMBER", "WEEKDAY"})
"""What can follow `and`, `or` or a comma at the start of the next line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One line, with the lines that continue it."""

    words: list[Token]
    """Never empty."""
    tokens: tuple[Token, ...]
    """The words and, where the statement goes on in a new line, CONTINUATION with its comments."""
    newline: Token
    """The end of the line, with the comments behind and below it."""
    indent: int
    """Columns of blanks before the first word."""
    hanging: tuple[Token, ...] = ()
    """Words at the end of a line that should begin the next: `and`, `or`, a comma."""


def statements(source: str) -> tuple[Token | None, list[Statement]]:
    """What stands above the first statement (blank lines and comments), if anything; and the statements."""
    lines = source_lines(source)
    tokens = [token for token in lex(plain(source)) if token]
    if tokens and tokens[0].type == "CONTINUATION":  # the first word is `and`: nothing stands above to go on with
        tokens[0].type = "_NL"
    above = tokens.pop(0) if tokens and tokens[0].type == "_NL" else None
    found: list[Statement] = []
    line: list[Token] = []
    hanging: list[Token] = []
    for token, after in pairwise([*tokens, None]):
        assert token is not None
        if token.type != "_NL":
            line.append(token)
        elif after is not None and line[-1].type in _JOINING and after.type in _OPERAND:
            hanging.append(line[-1])
        elif line:
            found.append(
                Statement(
                    words=[word for word in line if word.type != "CONTINUATION"],
                    tokens=tuple(line),
                    newline=token,
                    indent=_indent(lines, line[0]),
                    hanging=tuple(hanging),
                )
            )
            line, hanging = [], []
    return above, found


def _indent(lines: list[str], first: Token) -> int:
    assert first.line is not None and first.column is not None
    return len(lines[first.line - 1][: first.column - 1].expandtabs(_TAB))
