"""Reads every line that can be read, and tells what is wrong with the others, none because of another.

The parser is driven by hand, a word at a time, with a checkpoint at each line start. Where a word does not fit, the
line is mended when it is plain what was meant (`else:`), and goes on; else the parser goes back to the checkpoint, gets
one BROKEN_LINE, and goes on with the next line, so that a block below a broken line is still read.

The outcome is a tree as of a file without mistakes, with BROKEN_LINE in their places.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from lark import Token, Tree

from dsl.complaints.trouble import between
from dsl.diagnostics import Diagnostic
from dsl.reading.cursor import Cursor
from dsl.reading.mending import broken, read_line
from dsl.reading.statements import Statement

MOST_PROBLEMS = 200
DEEPEST_BLOCK = 20

_ASKING = frozenset({"START", "ONLY", "LEAVE", "SEGMENT", "IF", "OTHERWISE", "GOAL", "MEASURE"})
"""First words of lines that end with a condition."""
_OPERANDS = frozenset({"NAME", "HAS", "CAN", "NOT", "LPAR", "IN", "EVENT"})
"""First words of a condition."""
_INDENTED = "Indent the lines of the block by two spaces."


@dataclass(frozen=True, slots=True, kw_only=True)
class _Level:
    """One depth of indentation."""

    indent: int
    header: str = ""
    """The kind of the first word of the line above the block; empty at the left edge."""
    opened: bool = True
    """False: the lines are indented, but no block is open; they count as lines of the level outside."""
    implied: bool = False
    """The lines of the block are not indented, although they should be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mended:
    """What a file says, and what is wrong with it."""

    tree: Tree[Token]
    spoilt: Mapping[int, Token]
    """By their numbers, the lines that were read and must not be kept because a name or a value in them is wrong: a
    BROKEN_LINE for each."""
    problems: list[Diagnostic]


def mend(lines: Sequence[Statement], path: str) -> Mended:
    """The tree of a file with each mistake mended or made a BROKEN_LINE, and the mistakes."""
    reader = Reader(lines, path)
    reader.read_all()
    if reader.at < len(lines):
        reader.tell(
            "WB134",
            lines[reader.at].words[0],
            f"There are more than {MOST_PROBLEMS} mistakes. The file was not read from here on.",
            "Mend those above first. Is it a playbook at all?",
        )
    reader.close()
    return Mended(tree=reader.cursor.tree(), spoilt=reader.spoilt, problems=reader.problems)


class Reader:
    """Follows the indentation of a file, and hands its lines to the cursor."""

    def __init__(self, lines: Sequence[Statement], path: str) -> None:
        self.lines, self.path, self.at = lines, path, 0
        self.problems: list[Diagnostic] = []
        self.spoilt: dict[int, Token] = {}
        self.cursor = Cursor()
        self.levels = [_Level(indent=0)]
        self.header = ""
        """The kind of the first word of the line above."""

    def read_all(self) -> None:
        """Reads line after line, until there are too many mistakes."""
        while self.at < len(self.lines) and len(self.problems) < MOST_PROBLEMS:
            self.read()

    def lead_to(self, line: Statement) -> bool:
        """Leads the cursor to the start of a line behind all others. False: it stands too deep to be read."""
        self.lines = [*self.lines, line]
        self.at = len(self.lines) - 1
        return self._settle(line)

    def read(self) -> None:
        """Reads one line, and passes over those below it when they are not to be read."""
        line = self.lines[self.at]
        first = line.words[0]
        if not self._settle(line):
            self._skip_from(line.indent)
            return
        self.at += 1
        after = self.lines[self.at] if self.at < len(self.lines) else None
        deeper = after is not None and after.indent > line.indent
        start = len(self.cursor.words)
        told, spoilt = read_line(self.cursor, line, self.path, around=self.levels[-1].header, deeper=deeper)
        self.problems += told
        if spoilt and first.line:
            self.spoilt[first.line] = broken(line)
        self.header = self.cursor.words[start].type if len(self.cursor.words) > start else first.type
        if self.header == "BROKEN_LINE":
            self.header = first.type

    def tell(self, code: str, word: Token, message: str, hint: str) -> None:
        self.problems.append(Diagnostic(code=code, span=between(self.path, word, word), message=message, hint=hint))

    def close(self) -> None:
        """Closes what is open."""
        if self.cursor.must_indent:
            self._tell_missing_block()
        while len(self.levels) > 1:
            self._pop()

    def _skip_from(self, indent: int) -> None:
        while self.at < len(self.lines) and self.lines[self.at].indent >= indent:
            self.at += 1

    # ── Indentation ───────────────────────────────────────────────────────────────────────────────────────────────────
    def _settle(self, line: Statement) -> bool:
        """Closes and opens blocks as the indentation says. False: the line stands too deep to be read."""
        top = self.levels[-1].indent
        if self.cursor.must_indent and line.indent <= top:
            if line.indent == top and self._belongs_to_block():
                self.tell("WB103", line.words[0], "This line belongs to the block above it, so it must be indented.",
                          _INDENTED)  # fmt: skip
                return self._open(line, implied=True)
            self._tell_missing_block()
        if self._sticks_out(line):
            inner = self.levels[-1]
            self.tell("WB106", line.words[0], f"This line is indented by {line.indent}, which fits no line above.",
                      f"Indent it by {inner.indent} spaces, like the lines it belongs to; or indent those by "
                      f"{line.indent}.")  # fmt: skip
            self.levels[-1] = replace(inner, indent=line.indent)
            return True
        while line.indent < self.levels[-1].indent or self._leaves_implied(line):
            self._pop()
        if line.indent <= self.levels[-1].indent:
            return True
        if self.cursor.may_indent and line.indent > top:
            return self._open(line)
        first = line.words[0]
        if line.indent < top:
            fitting = f"{self.levels[-1].indent} or {top}"
            self.tell("WB106", first, f"This line is indented by {line.indent}, which fits no line above.",
                      f"Indent it by {fitting} spaces, like the lines it belongs to.")  # fmt: skip
        elif self._goes_on(line):
            self.tell("WB123", first, "A line that goes on with the condition above begins with `and` or `or`.",
                      "Put one of them before it; or, if it is a line of its own, indent it like that.")  # fmt: skip
            self.spoil_above()
            return False
        elif self.at == 0:
            self.tell("WB105", first, "The first line of a file is not indented.", "Take the blanks before it away.")
        else:
            self.tell("WB105", first, "This line is indented, but the line above it opens no block.",
                      "Indent it like the line above.")  # fmt: skip
        self.levels.append(_Level(indent=line.indent, header=self.levels[-1].header, opened=False))
        return True

    def _sticks_out(self, line: Statement) -> bool:
        """Whether the line stands between the innermost block and the one around it, and can only be of the inner."""
        if len(self.levels) < 2 or not self.levels[-1].opened or self.cursor.must_indent:
            return False
        if not self.levels[-2].indent < line.indent < self.levels[-1].indent:
            return False
        kind = line.words[0].type
        return self.cursor.fits(kind) and not self.cursor.fits("_DEDENT", kind)

    def _goes_on(self, line: Statement) -> bool:
        """Whether the line is rather a part of the condition in the line above than a line of its own."""
        if self.at == 0 or line.words[0].type not in _OPERANDS or self.cursor.fits(line.words[0].type):
            return False
        above = self.lines[self.at - 1]
        return above.words[0].type in _ASKING and above.words[-1].type != "COLON"

    def spoil_above(self) -> None:
        """Leaves the line above out of the tree, because a part of it could not be read."""
        above = self.lines[self.at - 1]
        if number := above.words[0].line:
            self.spoilt[number] = broken(above)

    def _open(self, line: Statement, *, implied: bool = False) -> bool:
        if sum(level.opened for level in self.levels) > DEEPEST_BLOCK:
            self.tell("WB132", line.words[0], f"Blocks are nested more than {DEEPEST_BLOCK} deep here.",
                      "Join conditions with `and`, or make two playbooks of this one.")  # fmt: skip
            self._fill_block()
            return False
        self.cursor.feed(Token("_INDENT", ""))
        self.levels.append(_Level(indent=line.indent, header=self.header, implied=implied))
        return True

    def _pop(self) -> None:
        if self.levels.pop().opened:
            self.cursor.feed(Token("_DEDENT", ""))

    def _belongs_to_block(self) -> bool:
        """Whether a line that is not indented can only be one of the block that the line above opens."""
        first = self.lines[self.at].words[0].type
        if not self.cursor.fits("_INDENT", first):
            return False
        return not self.cursor.fits("_INDENT", "BROKEN_LINE", "_DEDENT", first) or (
            self.header in {"IF", "OTHERWISE"} and self._otherwise_follows()
        )

    def _otherwise_follows(self) -> bool:
        indent = self.levels[-1].indent
        for line in self.lines[self.at :]:
            if line.indent < indent or (line.indent == indent and line.words[0].type in {"IF", "OTHERWISE"}):
                return line.indent == indent and line.words[0].type == "OTHERWISE"
        return False

    def _leaves_implied(self, line: Statement) -> bool:
        if not self.levels[-1].implied or line.indent > self.levels[-1].indent:
            return False
        kind = line.words[0].type
        return not self.cursor.fits(kind) and self.cursor.fits("_DEDENT", kind)

    def _tell_missing_block(self) -> None:
        last = next(token for token in reversed(self.cursor.words) if token.type != "_NL")
        if last.column != last.end_column:  # else the colon was put in, and that it was missing has been told
            hint = f"{_INDENTED} Or delete the colon." if self.header == "SEND" else _INDENTED
            self.tell("WB103", last, "A colon opens a block, but nothing is indented below it.", hint)
        self._fill_block()

    def _fill_block(self) -> None:
        """Puts a broken line where a block is missing, with the place of the line that should have one."""
        last = next(token for token in reversed(self.cursor.words) if token.line and token.type != "_NL")
        empty = Token.new_borrow_pos("BROKEN_LINE", "", last)
        self.cursor.feed_all((Token("_INDENT", ""), empty, Token("_DEDENT", "")))
