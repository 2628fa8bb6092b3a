"""Playbooks damaged at random: whatever a file holds there is a tree, and nothing is raised.

`python -m tests.dsl.fuzz --inputs 200000 --seed 7` tries more than the test of CI does.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from time import process_time

from dsl import syntax
from dsl.codes import CODES
from dsl.compile import compile_sources
from dsl.complaints.vocabulary import EXAMPLES, FOREIGN
from dsl.diagnostics import render, source_lines
from dsl.format import canonical
from dsl.mistakes import mistake
from dsl.outline import outline, settings
from tests.dsl.chunks import chunks
from tests.dsl.shop import shop

ROOT = Path(__file__).parents[2]
SLOWER = 60
"""A damaged file may take so many times as long as the one it was made of, counted by characters."""

_LETTERS = [
    *"abz_.,:;()=<>!%$€£#\"'`\\/{}[]&|+-*0129 \t\n\r", "\u00a0", "\u200b", "\u202e", "\u2028", "\ufeff", "\x00", "\x1b",
    "é", "ß", "日", "٣", "🛒", "e\u0301", "“", "„", "\ud800", "\U000e0001", "\x0b", "\x0c", "\x85", "…", "—",
]  # fmt: skip
_WORDS = [
    *FOREIGN, *(form.split()[0] for forms in EXAMPLES.values() for form in forms), "if", "otherwise", "and",
    "or", "not", "(", ")", ":", "is", "has", "no", "in segment x", "event.x", "2 days", "99999999999 weeks",
    "$50", "10%", "50 PLN", "09:00", "2026-12-24", "2026-02-30", '"', '"text"', "“curly”", "{{ profile.first_name }}",
    "SELECT * FROM users", "def f(x):", "null", "-1", "1e9", "0x10", "NaN", "x" * 300, "(" * 60, "not " * 60,
]  # fmt: skip


def corpus(*more: Path) -> list[str]:
    """Correct files with every form, and the small wrong ones of the other tests; `more`: further folders."""
    folders = [ROOT / "playbooks", ROOT / "tests" / "plans", ROOT / "tests" / "format", ROOT / "tests" / "dsl", *more]
    paths = sorted(path for folder in folders for path in folder.glob("*.playbook"))
    whole = [path.read_text(encoding="utf-8") for path in paths]
    small = [
        chunk.source
        for folder in (ROOT / "tests" / "broken", ROOT / "tests" / "dsl" / "sense")
        for chunk in chunks(folder).values()
    ]
    small += [mistake(code).right for code in sorted(CODES)]
    return [*whole * max(1, len(small) // len(whole)), *small]


# ── Damages ───────────────────────────────────────────────────────────────────────────────────────────────────────────
def _letters(text: str, chance: random.Random) -> str:
    """A character too many, too few, another or two in the wrong order."""
    at = chance.randrange(len(text) + 1)
    match chance.randrange(4):
        case 0:
            return text[:at] + chance.choice(_LETTERS) + text[at:]
        case 1:
            return text[:at] + text[at + chance.randint(1, 5) :]
        case 2:
            return text[:at] + text[at + 1 : at + 2] + text[at : at + 1] + text[at + 2 :]
        case _:
            return text[:at] + chance.choice(_LETTERS) * chance.choice((1, 1, 2, 40)) + text[at + 1 :]


def _words(text: str, chance: random.Random) -> str:
    """A word deleted, doubled, swapped with another of the file, or a foreign one put in."""
    lines = text.split("\n")
    at = chance.randrange(len(lines))
    words = lines[at].split(" ")
    spot = chance.randrange(len(words))
    match chance.randrange(4):
        case 0:
            del words[spot]
        case 1:
            words.insert(spot, words[spot])
        case 2:
            other = chance.choice(text.split() or [""])
            words[spot] = other
        case _:
            words.insert(spot, chance.choice(_WORDS))
    lines[at] = " ".join(words)
    return "\n".join(lines)


def _lines(text: str, chance: random.Random) -> str:
    """A line deleted, doubled, swapped with another or put elsewhere."""
    lines = text.split("\n")
    one, two = chance.randrange(len(lines)), chance.randrange(len(lines))
    match chance.randrange(4):
        case 0:
            del lines[one : one + chance.randint(1, 3)]
        case 1:
            lines[two:two] = lines[one : one + chance.randint(1, 3)]
        case 2:
            lines[one], lines[two] = lines[two], lines[one]
        case _:
            lines.insert(two, chance.choice(_WORDS))
    return "\n".join(lines)


def _indents(text: str, chance: random.Random) -> str:
    """One line, or a stretch of lines, indented otherwise."""
    lines = text.split("\n")
    at = chance.randrange(len(lines))
    blanks = chance.choice(["", " ", "  ", "   ", "    ", "\t", "      ", "\u00a0\u00a0", " " * 90])
    for place in range(at, min(len(lines), at + chance.choice((1, 1, 1, 4)))):
        lines[place] = blanks + lines[place].lstrip() if chance.random() < 0.5 else blanks + lines[place]
    return "\n".join(lines)


def _cut(text: str, chance: random.Random) -> str:
    """Only a part of the file."""
    at = chance.randrange(len(text) + 1)
    return text[:at] if chance.random() < 0.5 else text[at:]


def _joined(text: str, chance: random.Random) -> str:
    """Two pieces of the file one behind the other, with or without a line break between."""
    one, two = chance.randrange(len(text) + 1), chance.randrange(len(text) + 1)
    return text[:one] + chance.choice(["", "\n", "\r", "\r\n", " "]) + text[two:]


_DAMAGES: tuple[Callable[[str, random.Random], str], ...] = (_letters, _words, _words, _lines, _indents, _cut, _joined)


def damaged(text: str, chance: random.Random) -> str:
    """The text with one to five damages; the first alone in half of the cases."""
    for _ in range(chance.choice((1, 1, 1, 2, 3, 5))):
        text = chance.choice(_DAMAGES)(text, chance)
    return text


# ── What must hold ────────────────────────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    problems: int
    plans: int
    codes: frozenset[str]
    seconds: float
    """CPU time of compiling."""


CATALOG = shop()


def look(texts: dict[str, str]) -> Outcome:
    """Compiles, formats and outlines. Raises AssertionError for what must not be, and whatever the compiler raises."""
    begun = process_time()
    compiled = compile_sources(texts, CATALOG)
    seconds = process_time() - begun
    assert [file.path for file in compiled.files] == sorted(texts)
    for file in compiled.files:
        assert isinstance(file, syntax.File)
        assert canonical(file.source) is not None
    for problem in compiled.problems:
        lines, span = source_lines(texts[problem.span.file]), problem.span
        assert 1 <= span.line <= span.end_line <= len(lines), problem
        assert 1 <= span.column <= len(lines[span.line - 1]) + 1, problem
        assert (span.end_line, span.end_column) > (span.line, span.column), problem
        assert problem.code in CODES, problem
        assert problem.code in render(problem, texts[span.file])
        assert problem.message.endswith((".", "?", "!")), problem
    for plan in compiled.plans.values():
        assert plan.digest
        assert outline(plan) is not None
        assert settings(plan, "USD") is not None
    codes = frozenset(problem.code for problem in compiled.problems)
    return Outcome(problems=len(compiled.problems), plans=len(compiled.plans), codes=codes, seconds=seconds)


class InputError(AssertionError):
    """An input that must not have done what it did."""


@cache
def _usual(text: str) -> float:
    """How long the undamaged file takes, of several times the shortest; at least a thousandth of a second."""
    return max(min(look({"a": text}).seconds for _ in range(3)), 0.001)


def tried(inputs: int, seed: int, *more: Path) -> Iterator[tuple[Outcome, float]]:
    """So many damaged files: what came of each, and how much longer than the original it took. Raises InputError."""
    chance = random.Random(seed)
    texts = corpus(*more)
    for number in range(inputs):
        whole = chance.choice(texts)
        text = damaged(whole, chance)
        files = {"a": text}
        if chance.random() < 0.05:
            files["b"] = damaged(chance.choice(texts), chance)
        try:
            outcome = look(files)
        except Exception as error:
            raise InputError(f"input {number} of seed {seed}: {error!r}\n{files!r}") from error
        size = sum(map(len, files.values()))
        yield outcome, outcome.seconds / (_usual(whole) * max(1.0, size / max(1, len(whole))))


def slowest(inputs: int, seed: int, *more: Path) -> tuple[float, Counter[str]]:
    """How many times as long the worst input took, and how often each code was told. Raises InputError."""
    worst, codes = 0.0, Counter[str]()
    for outcome, factor in tried(inputs, seed, *more):
        worst = max(worst, factor)
        codes.update(outcome.codes)
    return worst, codes


def main() -> None:
    """Tries damaged files, and prints what was told how often."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--inputs", type=int, default=10_000)
    arguments.add_argument("--seed", type=int, default=0)
    arguments.add_argument("--more", type=Path, action="append", default=[], help="a folder with other playbooks")
    given = arguments.parse_args()
    begun = process_time()
    worst, codes = slowest(given.inputs, given.seed, *given.more)
    told = ", ".join(f"{code} {count}" for code, count in codes.most_common())
    never = ", ".join(sorted(set(CODES) - set(codes)))
    sys.stdout.write(
        f"{given.inputs:,} inputs in {process_time() - begun:.0f} s of CPU: nothing raised; the slowest took "
        f"{worst:.1f} times as long as its original.\nTold: {told}.\nNever told: {never or 'none'}.\n"
    )


if __name__ == "__main__":
    main()
