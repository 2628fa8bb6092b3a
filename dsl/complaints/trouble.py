"""The wording of what is wrong with a line: from the word that does not fit to a message, a hint and a way to go on.

`explain` asks a list of small questions, one a mistake, in order; the first that recognises its mistake answers.
Each question takes the trouble and gives a complaint or None.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from lark import Token

from dsl.complaints.vocabulary import EXAMPLES, GROUPS, KINDS, NAMES, PARTS
from dsl.diagnostics import Diagnostic, Span, visible
from dsl.grammar import words

_MOST_FORMS = 4
"""A hint shows so many forms of a line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """A problem, and how to read on."""

    problem: Diagnostic
    instead: tuple[str, ...] | None = None
    """The kinds of words to read in the place of those at fault, or `KIND text`; None: there is no way to go on."""
    start: int = 0
    """The first word at fault, counted in the line."""
    taken: int = 1
    """How many words `instead` replaces."""
    sure: bool = True
    """False: a guess. When the line fails again, that is not told, for the guess may be the cause."""
    kept: bool = True
    """False: read on to find more, but do not keep the line, because a value in it is wrong."""
    vague: bool = False
    """True: all that is known is that the word does not fit. Right behind a word that was mended, that is not told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """A word that does not fit, and all that is known around it."""

    path: str
    line: Sequence[Token]
    index: int
    """The word that does not fit; the length of the line when the line must not end here."""
    expected: frozenset[str]
    """The kinds of words that fit here."""
    fits: Callable[[int, Sequence[str]], bool]
    """`fits(n, kinds)`: whether these kinds of words fit in the place `n` words before this one (0 or 1)."""
    around: str = ""
    """The kind of the word that begins the line whose block this is; empty at the left edge."""
    deeper: bool = False
    """Whether the next line is indented more than this one."""

    @property
    def token(self) -> Token:
        return self.line[self.index]

    @property
    def text(self) -> str:
        return str(self.token)

    @property
    def after(self) -> Token | None:
        """The word behind this one."""
        return self.line[self.index + 1] if self.index + 1 < len(self.line) else None

    @property
    def before(self) -> Token | None:
        return self.line[self.index - 1] if self.index else None

    def complain(
        self,
        code: str,
        message: str,
        hint: str | None = None,
        *,
        instead: tuple[str, ...] | None = None,
        back: int = 0,
        taken: int = 1,
        sure: bool = True,
        kept: bool = True,
        vague: bool = False,
    ) -> Complaint:
        """A complaint about `taken` words (at least one is underlined), from the one `back` words before this one."""
        start = self.index - back
        first, last = self.line[start], self.line[min(start + max(taken, 1), len(self.line)) - 1]
        problem = Diagnostic(code=code, span=between(self.path, first, last), message=message, hint=hint)
        return Complaint(problem=problem, instead=instead, start=start, taken=taken, sure=sure, kept=kept, vague=vague)


def between(path: str, first: Token, last: Token) -> Span:
    """The place from the first word to the last."""
    assert first.line and first.column and last.end_line and last.end_column
    wide = (last.end_line, last.end_column) > (first.line, first.column)  # a word that was put in has no width
    return Span(
        file=path,
        line=first.line,
        column=first.column,
        end_line=last.end_line,
        end_column=last.end_column if wide else first.column + 1,
    )


def behind(path: str, last: Token) -> Span:
    """The place right behind a word."""
    assert last.end_line and last.end_column
    return Span(
        file=path,
        line=last.end_line,
        column=last.end_column,
        end_line=last.end_line,
        end_column=last.end_column + 1,
    )


def quoted(text: str) -> str:
    """A word of the source in a message."""
    shown = visible(text)
    return f"`{shown if len(shown) <= 40 else shown[:40] + '…'}`"


def listed(parts: Sequence[str]) -> str:
    """`a` · `a or b` · `a, b or c`"""
    return " or ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def describe(trouble: Trouble) -> str:
    """What fits, in words: `a channel like "email"`, `"and", "or" or the end of the line`."""
    parts: list[str] = []
    left = set(trouble.expected) - {"DOT"} or set(trouble.expected)
    for marks, members, phrase in GROUPS:
        if marks <= left:
            parts.append(phrase)
            left -= members
    fixed = words()
    parts += sorted(f"`{fixed[kind]}`" for kind in left if kind in fixed and kind not in {"COLON", "EVENT"})
    before = trouble.before
    named = NAMES.get(before.type) if before is not None else None
    if before is not None and trouble.line[0].type == "SEND" and trouble.index == 2:
        named = "the name of a template"
    if before is not None and before.type == "IS" and (trouble.around == "EVENT" or trouble.line[0].type == "FIELD"):
        named = "a type like `text`, `number` or `timestamp`"
    parts += [named if named and kind == "NAME" else phrase for kind, phrase in KINDS.items() if kind in left]
    return listed(parts)


def near(text: str, kinds: frozenset[str]) -> str | None:
    """The kind among `kinds` whose fixed word is nearest to the text, if any is near."""
    fixed = {word: kind for kind, word in words().items() if kind in kinds and word.isalpha()}
    cutoff = 0.7 if len(text) > 3 else 0.6
    found = get_close_matches(text.lower(), fixed, n=1, cutoff=cutoff)
    return fixed[found[0]] if found and abs(len(found[0]) - len(text)) <= 2 else None


def example(trouble: Trouble) -> str | None:
    """A hint that shows how the line, or the part of it where the trouble is, is written."""
    line = trouble.line[: trouble.index]
    if len(line) > 1 and line[0].type == "WAIT" and line[-1].type == "WEEKDAY":
        return f"Write it with a time: `wait until {line[-1]} 09:00`."
    typed = trouble.around == "EVENT" or line[0].type == "FIELD"
    for place, token in reversed(list(enumerate(line))):
        if token.type == "IS" and typed:
            return "Write it like `starts_at is timestamp`."
        forms = PARTS.get(token.type) or (EXAMPLES.get(token.type) if place == 0 else None)
        if forms:
            return f"Write it like {listed([f'`{form}`' for form in _alike(forms, line[place:])])}."
    return None


def _alike(forms: Sequence[str], line: Sequence[Token]) -> list[str]:
    """The forms that begin like the line, at most four."""

    def shared(form: str) -> int:
        pairs = list(zip(form.split(), map(str, line), strict=False))
        return next((count for count, (one, other) in enumerate(pairs) if one != other), len(pairs))

    most = max(map(shared, forms))
    return [form for form in forms if shared(form) == most][:_MOST_FORMS]


def reserved(trouble: Trouble) -> Complaint:
    """A word of the language where a name is meant."""
    return trouble.complain(
        "WB113",
        f"{quoted(trouble.text)} is a word of the language, so it cannot be a name.",
        f"Choose another, such as `my_{trouble.text}`.",
        instead=("NAME " + trouble.text,),
        kept=False,
    )


def stops_early(trouble: Trouble) -> Complaint:
    """The line ends where something must follow."""
    last = trouble.line[-1]
    told: tuple[str, str, str | None]
    if "COLON" in trouble.expected:
        told = ("WB102", "This line opens a block, so it must end with a colon.", _colon_hint(trouble))
    elif last.type == "LPAR" or "RPAR" in trouble.expected:
        return _unclosed(trouble)
    elif last.type in {"AND", "OR"}:
        told = (
            "WB101",
            f"After `{last}` another condition must follow.",
            f"Add one, or delete `{last}`. A condition that goes on in the next line has `{last}` at its beginning.",
        )
    else:
        told = ("WB101", f"This line stops too early. Next comes {describe(trouble)}.", example(trouble))
    code, message, hint = told
    problem = Diagnostic(code=code, span=behind(trouble.path, last), message=message, hint=hint)
    instead = ("COLON",) if code == "WB102" else None
    # An `if` of a playbook without a block may be meant as `only if`: then no step stands here.
    kept = trouble.deeper or trouble.line[0].type != "IF" or trouble.around != "PLAYBOOK"
    return Complaint(problem=problem, instead=instead, start=trouble.index, taken=0, kept=kept, vague=not instead)


def _colon_hint(trouble: Trouble) -> str:
    hint = "Add `:` at the end of the line."
    if trouble.line[0].type == "IF" and trouble.around == "PLAYBOOK" and not trouble.deeper:
        hint += " Or, to ask it of everybody who would enter, write `only if …`."
    return hint


def _unclosed(trouble: Trouble) -> Complaint:
    open_at: list[Token] = []
    for token in trouble.line:
        if token.type == "LPAR":
            open_at.append(token)
        elif token.type == "RPAR" and open_at:
            open_at.pop()
    bracket = open_at[-1] if open_at else trouble.line[-1]
    problem = Diagnostic(
        code="WB124",
        span=between(trouble.path, bracket, bracket),
        message="This bracket is never closed.",
        hint="Add `)` where the condition inside the brackets ends.",
    )
    instead = ("RPAR",) if trouble.line[-1].type != "LPAR" and "RPAR" in trouble.expected else None
    return Complaint(problem=problem, instead=instead, start=trouble.index, taken=0)
