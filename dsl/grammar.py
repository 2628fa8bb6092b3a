"""The grammar, made into a parser when it is first needed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from importlib.resources import files

from lark import Lark, Token
from lark.lark import PostLex
from lark.lexer import BasicLexer, LexerThread
from lark.tree import Tree

LAYOUT = frozenset({"_NL", "_INDENT", "_DEDENT", "$END"})
"""Tokens that are not words on the page."""

RESERVED = ("TRUE", "FALSE", "NULL")
"""Words that no rule uses, and that no name may be."""

ODD = ("FOREIGN_SIGN", "CURLY_TEXT", "OPEN_TEXT", "ODD_NUMBER", "ODD_WORD", "ODD_SIGN")
"""What no rule ever takes. They keep the lexer from failing."""


class _KeepAll(PostLex):
    """Leaves the tokens as they are. Lark drops terminals that no rule uses, unless a postlex names them."""

    always_accept: Iterable[str] = ("_NL", "CONTINUATION", *ODD, *RESERVED)

    def process(self, stream: Iterator[Token]) -> Iterator[Token]:
        return stream


def _has_place(node: Token | Tree[Token]) -> bool:
    """Line breaks belong to no node, so that a node ends where its last word ends."""
    return not isinstance(node, Token) or node.type not in LAYOUT


@cache
def grammar() -> Lark:
    """The parser's tables; made once a process, in about a tenth of a second."""
    text = files("dsl").joinpath("grammar.lark").read_text(encoding="utf-8")
    return Lark(text, parser="lalr", lexer="basic", postlex=_KeepAll(), propagate_positions=_has_place)


@cache
def words() -> dict[str, str]:
    """Each fixed word and sign by its token's name: `{"SEND": "send", "COLON": ":", …}`."""
    return {terminal.name: terminal.pattern.value for terminal in grammar().terminals if terminal.pattern.type == "str"}


@cache
def _lexer() -> BasicLexer:
    """Lark makes one anew for each text, which takes as long as the text of a playbook."""
    return BasicLexer(grammar().lexer_conf)


def lex(source: str) -> list[Token]:
    """The tokens of a source, whatever it holds; `source` must be plain (see `characters.plain`)."""
    return list(LexerThread.from_text(_lexer(), source).lex(None))  # type: ignore[no-untyped-call]
