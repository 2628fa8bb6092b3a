"""Reads one line, and mends what is plainly meant."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice, pairwise

from lark import Token

from dsl.complaints.first_words import explain_first
from dsl.complaints.inner_words import explain_word
from dsl.complaints.trouble import Complaint, Trouble, between, stops_early
from dsl.diagnostics import Diagnostic
from dsl.fixes import fix_of
from dsl.grammar import words
from dsl.reading.cursor import Cursor
from dsl.reading.literals import STAND_INS, count_fault, fault
from dsl.reading.statements import Statement

DEEPEST_CONDITION = 50
_MOST_MENDS = 10
_NAMING = frozenset({"SEND", "CREATE", "UPDATE", "EVENT", "LIFECYCLE", "AUDIENCE"})
"""Lines below which others begin with a name."""
_DECLARING = frozenset({"LET", "FIELD", "EVENT", "SEGMENT", "PLAYBOOK", "AUDIENCE"})
_COUNTING = frozenset({"LEAST", "MOST", "EXACTLY", "TO"})
"""Words before a number of times or messages."""


def read_line(
    cursor: Cursor, line: Statement, path: str, *, around: str, deeper: bool
) -> tuple[list[Diagnostic], bool]:
    """Feeds a line to the cursor: as it is, mended, or as one BROKEN_LINE. Gives what is wrong with it, and whether it
    has to be left out of the tree although it was fed, because a name or a value in it is wrong.

    `around`: the kind of the first word of the line whose block this is; `deeper`: the next line is indented more.
    """
    faults = _faults(line, path)
    problems = [*_hanging(line, path), *faults]
    start = cursor.mark()
    whole, kept = False, not faults
    if deep := _too_deep(line, path):
        problems.append(deep)
    else:
        told, whole, sound = _read(cursor, line, path, around, deeper)
        problems += told
        kept = kept and sound
    if not whole:
        cursor.back(start)
        cursor.feed(broken(line))
    return sorted(problems, key=lambda p: (p.span.line, p.span.column)), whole and not kept


def broken(line: Statement) -> Token:
    """What stands for a line that cannot be read: its first word and, in a declaration, the name that it declares."""
    first, last = line.words[0], line.words[-1]
    text = first.lower() if first.type in words() or first.type in {"NAME", "ODD_WORD"} else ""
    if first.type in _DECLARING and len(line.words) > 1 and line.words[1][0].isalpha():
        name = line.words[1:]
        stop = next((i for i, token in enumerate(name) if i and token.type not in {"NAME", "DOT"}), len(name))
        text += " " + "".join(name[:stop])
    token = Token.new_borrow_pos("BROKEN_LINE", text, first)
    token.end_line, token.end_column = last.end_line, last.end_column
    return token


def _read(cursor: Cursor, line: Statement, path: str, around: str, deeper: bool) -> tuple[list[Diagnostic], bool, bool]:
    """What is wrong with the order of the words; whether the line could be read (mended where needed); whether it can
    be kept."""
    left, told = [_sound(word) for word in line.words], list[Diagnostic]()
    index, guessed, kept, begun = 0, False, True, len(cursor.words)
    behind_mend = -1
    while index <= len(left):
        forgot_colon = index == len(left) and deeper and left[-1].type != "COLON" and "COLON" in cursor.accepts()
        if not forgot_colon and cursor.feed(left[index] if index < len(left) else line.newline):
            index += 1
            continue
        complaint = _explain(cursor, path, left, index, around, deeper)
        # What is wrong now may come of the guess, or of how the word before was mended; or it has been told.
        if guessed or (complaint.vague and index == behind_mend) or _at_fault(line, left, index):
            return told, False, False
        told.append(replace(complaint.problem, fix=fix_of(complaint, left)))
        if complaint.instead is None or len(told) > _MOST_MENDS:
            return told, False, False
        if (back := len(cursor.words) - begun - complaint.start) > 0:
            cursor.back(cursor.place(back))
        mended = [_made(kind, left, complaint) for kind in complaint.instead]
        left[complaint.start : complaint.start + complaint.taken] = mended
        if not cursor.feed_all(mended):
            return told, False, False
        behind_mend = index = complaint.start + len(mended)
        guessed, kept = guessed or not complaint.sure, kept and complaint.kept
    return told, True, kept


def _explain(cursor: Cursor, path: str, left: list[Token], index: int, around: str, deeper: bool) -> Complaint:
    expected = cursor.accepts()
    if index == 1 and left[0].type == "NAME" and {"EQUAL", "IS"} <= expected and around not in _NAMING:
        # Below a broken line every kind of line may stand. A name here is rather a first word that nobody knows.
        cursor.back(cursor.place(1))
        index, expected = 0, cursor.accepts()
    trouble = Trouble(
        path=path,
        line=left,
        index=index,
        expected=expected,
        fits=lambda back, kinds: cursor.fits(*(kind.split(" ")[0] for kind in kinds), at=cursor.place(back)),
        around=around,
        deeper=deeper,
    )
    if index == len(left):
        return stops_early(trouble)
    return explain_first(trouble) if index == 0 else explain_word(trouble)


def _at_fault(line: Statement, left: list[Token], index: int) -> bool:
    """Whether the word that does not fit is one whose own fault is told already."""
    return index < len(left) and any(
        fault(word) and (word.line, word.column) == (left[index].line, left[index].column) for word in line.words
    )


def _sound(token: Token) -> Token:
    return Token.new_borrow_pos(token.type, STAND_INS[token.type], token) if fault(token) else token


def _made(kind: str, line: list[Token], complaint: Complaint) -> Token:
    """A word that stands for those that were wrong. One that is put in where nothing was has no width."""
    kind, _, text = kind.partition(" ")
    text = text or words().get(kind) or STAND_INS[kind]
    if complaint.taken:
        return Token.new_borrow_pos(kind, text, line[complaint.start])
    made = Token.new_borrow_pos(kind, text, line[max(complaint.start - 1, 0)])
    made.line, made.column = (made.end_line, made.end_column) if complaint.start else (made.line, made.column)
    made.end_line, made.end_column = made.line, made.column
    return made


def _hanging(line: Statement, path: str) -> list[Diagnostic]:
    return [
        Diagnostic(
            code="WB123",
            span=between(path, token, token),
            message="This list goes on in the next line, but it must stand on one line."
            if token == ","
            else f"The line goes on below, so `{token}` must begin the next line and not end this one.",
            hint="Join the two lines." if token == "," else f"Move `{token}` to the start of the next line.",
        )
        for token in line.hanging[:_MOST_MENDS]
    ]


def _faults(line: Statement, path: str) -> list[Diagnostic]:
    pairs = pairwise([None, *line.words])
    found = (
        (token, wrong)
        for before, token in pairs
        if token and (wrong := fault(token) or (count_fault(token) if before and before.type in _COUNTING else None))
    )
    return [
        Diagnostic(code=code, span=between(path, token, token), message=message, hint=hint)
        for token, (code, message, hint) in islice(found, _MOST_MENDS)
    ]


def _too_deep(line: Statement, path: str) -> Diagnostic | None:
    """Each bracket and each `not` costs a level of recursion in everything that walks conditions."""
    depths = [0]
    depth = 0
    for token in line.words:
        match token.type:
            case "LPAR":
                depth += 1
                depths.append(depth)
            case "NOT":
                depth += 1
            case "RPAR":
                depths = depths[:-1] or [0]
                depth = depths[-1]
            case "AND" | "OR":
                depth = depths[-1]
        if depth > DEEPEST_CONDITION:
            return Diagnostic(
                code="WB131",
                span=between(path, token, token),
                message=f"Brackets and `not` are nested more than {DEEPEST_CONDITION} deep here.",
                hint="Give parts of the condition names with `segment NAME when …`, and use `in segment NAME`.",
            )
    return None
