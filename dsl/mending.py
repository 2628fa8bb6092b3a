"""Reads one line, and mends what is plainly meant."""

from __future__ import annotations

from lark import Token

from dsl.complaints import Complaint, Trouble, between, stops_early
from dsl.cursor import Cursor, Mark
from dsl.diagnostics import Diagnostic
from dsl.first_words import explain_first
from dsl.grammar import words
from dsl.inner_words import explain_word
from dsl.literals import fault
from dsl.statements import Statement

DEEPEST_CONDITION = 50
_MOST_MENDS = 20
_DECLARING = frozenset({"LET", "FIELD", "EVENT", "SEGMENT", "PLAYBOOK", "AUDIENCE"})


def read_line(cursor: Cursor, line: Statement, path: str, *, around: str, deeper: bool) -> list[Diagnostic]:
    """Feeds a line to the cursor: as it is, mended, or as one BROKEN_LINE. Gives what is wrong with it.

    `around`: the kind of the first word of the line whose block this is; `deeper`: the next line is indented more.
    """
    problems = [*_hanging(line, path), *_faults(line, path)]
    start = cursor.mark()
    if deep := _too_deep(line, path):
        problems.append(deep)
    else:
        told, whole = _read(cursor, line, path, around, deeper)
        problems += told
        if whole and not _faults(line, path):
            return sorted(problems, key=lambda p: (p.span.line, p.span.column))
    cursor.back(start)
    cursor.feed(broken(line))
    return sorted(problems, key=lambda p: (p.span.line, p.span.column))


def broken(line: Statement) -> Token:
    """What stands for a line that cannot be read: its first word and, in a declaration, the name that it declares."""
    first, last = line.words[0], line.words[-1]
    text = first.lower() if first.type in words() or first.type in {"NAME", "ODD_WORD"} else ""
    if first.type in _DECLARING and len(line.words) > 1 and line.words[1].type == "NAME":
        name = line.words[1:]
        stop = next((i for i, token in enumerate(name) if token.type not in {"NAME", "DOT"}), len(name))
        text += " " + "".join(name[:stop])
    token = Token.new_borrow_pos("BROKEN_LINE", text, first)
    token.end_line, token.end_column = last.end_line, last.end_column
    return token


def _read(cursor: Cursor, line: Statement, path: str, around: str, deeper: bool) -> tuple[list[Diagnostic], bool]:
    """What is wrong with the order of the words, and whether the line could be read (mended where needed)."""
    left, told = line.words, list[Diagnostic]()
    index, mends, guessed, kept = 0, 0, False, True
    previous = cursor.mark()
    while index <= len(left):
        token = left[index] if index < len(left) else line.newline
        here = cursor.mark()
        forgot_colon = index == len(left) and deeper and left[-1].type != "COLON" and "COLON" in cursor.accepts()
        if not forgot_colon and cursor.feed(token):
            previous, index = here, index + 1
            continue
        complaint = _explain(cursor, previous, path, left, index, around, deeper)
        if guessed:  # what is wrong now may come of the guess
            return told, False
        told.append(complaint.problem)
        mends += 1
        if complaint.instead is None or mends > _MOST_MENDS:
            return told, False
        if complaint.start < index:
            cursor.back(previous)
        mended = [_made(kind, left, complaint) for kind in complaint.instead]
        left[complaint.start : complaint.start + complaint.taken] = mended
        if not cursor.feed_all(mended):
            return told, False
        index = complaint.start + len(mended)
        guessed, kept = guessed or not complaint.sure, kept and complaint.kept
    return told, kept


def _explain(
    cursor: Cursor, previous: Mark, path: str, left: list[Token], index: int, around: str, deeper: bool
) -> Complaint:
    here = cursor.mark()
    trouble = Trouble(
        path=path,
        line=left,
        index=index,
        expected=cursor.accepts(),
        fits=lambda back, kinds: cursor.fits(*(kind.split(" ")[0] for kind in kinds), at=previous if back else here),
        around=around,
        deeper=deeper,
    )
    if index == len(left):
        return stops_early(trouble)
    return explain_first(trouble) if index == 0 else explain_word(trouble)


def _made(kind: str, line: list[Token], complaint: Complaint) -> Token:
    """A word that stands for those that were wrong. One that is put in where nothing was has no place."""
    kind, _, text = kind.partition(" ")
    text = text or words().get(kind, "")
    return Token.new_borrow_pos(kind, text, line[complaint.start]) if complaint.taken else Token(kind, text)


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
        for token in line.hanging
    ]


def _faults(line: Statement, path: str) -> list[Diagnostic]:
    return [
        Diagnostic(code=found[0], span=between(path, token, token), message=found[1], hint=found[2])
        for token in line.words
        if (found := fault(token))
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
