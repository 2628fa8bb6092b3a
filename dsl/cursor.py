"""A place in the parsing of a file: the parser's state, and the words that brought it there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol, cast

from lark import Token, UnexpectedToken

from dsl.grammar import grammar

_Accepted = dict[tuple[object, ...], frozenset[str]]


class _Parser(Protocol):
    """Lark's interactive parser, which has no types of its own."""

    parser_state: Any

    def feed_token(self, token: Token) -> object: ...
    def copy(self, deepcopy_values: bool) -> _Parser: ...
    def choices(self) -> dict[str, object]: ...
    def accepts(self) -> set[str]: ...


@dataclass(frozen=True, slots=True)
class Mark:
    """A place to go back to."""

    parser: _Parser
    length: int


class Cursor:
    """Feeds words to Lark's interactive parser. Its tree is not used, only what it accepts (see recovery.py)."""

    def __init__(self) -> None:
        self.words: list[Token] = []
        """All that was fed."""
        self._parser = cast(_Parser, grammar().parse_interactive())
        self._accepted: _Accepted = {}

    def feed(self, token: Token) -> bool:
        """Reads one word. False, and nothing is changed, when it does not fit."""
        if token.type not in self._parser.choices():
            return False
        before = self.mark()
        try:
            self._parser.feed_token(token)
        except UnexpectedToken:  # a state can promise a word that what lies below it on the stack does not take
            self.back(before)
            return False
        self.words.append(token)
        return True

    def feed_all(self, tokens: Iterable[Token]) -> bool:
        """Reads words until one does not fit."""
        return all(self.feed(token) for token in tokens)

    def mark(self) -> Mark:
        return Mark(self._parser.copy(deepcopy_values=False), len(self.words))

    def back(self, mark: Mark) -> None:
        self._parser = mark.parser.copy(deepcopy_values=False)
        del self.words[mark.length :]

    def fits(self, *kinds: str, at: Mark | None = None) -> bool:
        """Whether words of these kinds could come next, here or at an earlier place."""
        parser = (at.parser if at else self._parser).copy(deepcopy_values=False)
        try:
            for kind in kinds:
                parser.feed_token(Token(kind, ""))
        except UnexpectedToken:
            return False
        return True

    def accepts(self) -> frozenset[str]:
        """The kinds of words that could come next."""
        state = tuple(self._parser.parser_state.state_stack)
        if state not in self._accepted:
            self._accepted[state] = frozenset(self._parser.accepts())
        return self._accepted[state]

    @property
    def must_indent(self) -> bool:
        """A colon ended the last line."""
        return set(self._parser.choices()) == {"_INDENT"}

    @property
    def may_indent(self) -> bool:
        """A colon ended the last line, or the last line is broken."""
        return "_INDENT" in self._parser.choices()
