"""A place in the parsing of a file: the parser's state, and the words that brought it there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol, cast

from lark import Token, Tree, UnexpectedToken

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
    """Feeds words to Lark's interactive parser.

    Lark's parser cannot go back, so it is copied where a line begins, and the words since then are fed again.
    """

    def __init__(self) -> None:
        self.words: list[Token] = []
        """All that was fed."""
        self._parser = cast(_Parser, grammar().parse_interactive())
        self._straight = True
        """No copy was fed yet. Lark reuses the lists of its tree, so then the tree is not to be trusted."""
        self._marks = [self.mark()]
        self._accepted: _Accepted = {}

    def feed(self, token: Token) -> bool:
        """Reads one word. False, and nothing is changed, when it does not fit."""
        if token.type not in self._parser.choices():
            return False
        try:
            self._parser.feed_token(token)
        except UnexpectedToken:  # a state can promise a word that what lies below it on the stack does not take
            self._straight = False
            self._parser = _copy(self.place(0).parser)
            return False
        self.words.append(token)
        return True

    def feed_all(self, tokens: Iterable[Token]) -> bool:
        """Reads words until one does not fit."""
        return all(self.feed(token) for token in tokens)

    def mark(self) -> Mark:
        """Remembers this place."""
        self._marks = [Mark(_copy(self._parser), len(self.words))]
        return self._marks[0]

    def back(self, mark: Mark) -> None:
        """Goes back to a place."""
        self._straight = False
        self._parser = _copy(mark.parser)
        del self.words[mark.length :]
        self._marks = [known for known in self._marks if known.length < mark.length] + [mark]

    def place(self, back: int) -> Mark:
        """The place that was reached `back` words ago, since the last mark."""
        length = len(self.words) - back
        near = max((mark for mark in self._marks if mark.length <= length), key=lambda mark: mark.length)
        if near.length == length:
            return near
        self._straight = False
        parser = _copy(near.parser)
        for word in self.words[near.length : length]:
            parser.feed_token(word)
        self._marks.append(Mark(parser, length))
        return self._marks[-1]

    def fits(self, *kinds: str, at: Mark | None = None) -> bool:
        """Whether words of these kinds could come next, here or at an earlier place."""
        self._straight = False
        parser = _copy(at.parser if at else self._parser)
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

    def tree(self) -> Tree[Token]:
        """The tree of all words. Nothing can be fed after this."""
        parser = self._parser
        if not self._straight:
            parser = cast(_Parser, grammar().parse_interactive())
            for word in self.words:
                parser.feed_token(word)
        return cast("Tree[Token]", parser.feed_token(Token("$END", "")))

    @property
    def must_indent(self) -> bool:
        """A colon ended the last line."""
        return set(self._parser.choices()) == {"_INDENT"}

    @property
    def may_indent(self) -> bool:
        """A colon ended the last line, or the last line is broken."""
        return "_INDENT" in self._parser.choices()


def _copy(parser: _Parser) -> _Parser:
    return parser.copy(deepcopy_values=False)
