"""Which alternatives of the grammar's rules a text goes through."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

from lark import Lark, Token

from dsl import grammar
from dsl.reading.statements import statements

Form = tuple[str, tuple[str, ...]]
"""A rule, and the words and rules of one of its alternatives."""


@cache
def _watched() -> tuple[Lark, set[Form]]:
    """A parser of its own that notes every alternative it takes."""
    text = files("dsl").joinpath("grammar.lark").read_text(encoding="utf-8")
    lark = Lark(text, parser="lalr", lexer="basic", postlex=grammar._KeepAll())
    seen: set[Form] = set()
    callbacks: dict[Any, Any] = lark.parser.parser.parser.callbacks  # type: ignore[union-attr]
    for rule, build in list(callbacks.items()):
        form = _form(rule)

        def noting(children: list[Any], form: Form = form, build: Any = build) -> Any:
            seen.add(form)
            return build(children)

        callbacks[rule] = noting
    return lark, seen


def _form(rule: Any) -> Form:
    return str(rule.origin.name), tuple(str(part.name) for part in rule.expansion)


def alternatives() -> set[Form]:
    """Every alternative that a file without mistakes can go through."""
    lark, _ = _watched()
    forms = {_form(rule) for rule in lark.rules}
    broken = {"broken", "any_line"}
    return {
        (origin, parts)
        for origin, parts in forms
        if origin not in broken
        and "BROKEN_LINE" not in parts
        and "broken" not in parts
        and not origin.startswith("__broken")
        and not any(part.startswith("__broken") for part in parts)
    }


def reached(source: str) -> set[Form]:
    """The alternatives that a file without mistakes goes through. Raises lark.UnexpectedInput."""
    lark, seen = _watched()
    seen.clear()
    parser = lark.parse_interactive()
    levels = [0]
    _, lines = statements(source)
    for line in lines:
        while line.indent < levels[-1]:
            levels.pop()
            parser.feed_token(Token("_DEDENT", ""))
        if line.indent > levels[-1]:
            levels.append(line.indent)
            parser.feed_token(Token("_INDENT", ""))
        for token in (*line.words, line.newline):
            parser.feed_token(token)
    for _ in levels[1:]:
        parser.feed_token(Token("_DEDENT", ""))
    parser.feed_token(Token("$END", ""))
    return set(seen)
