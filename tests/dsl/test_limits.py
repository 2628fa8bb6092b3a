"""Each limit of the language: at the limit all is well, one beyond it is told, and neither takes long."""

from __future__ import annotations

from collections.abc import Callable
from time import process_time

import pytest

from dsl.checks.bounds import MOST_WAYS
from dsl.checks.settings import LONGEST_ABOUT
from dsl.compile import compile_sources
from dsl.parser import LARGEST_FILE, MOST_STEPS
from dsl.reading.literals import LONGEST_NAME
from dsl.reading.mending import DEEPEST_CONDITION
from dsl.reading.recovery import DEEPEST_BLOCK, MOST_PROBLEMS
from dsl.resolve.conditions import DEEPEST, MOST_TESTS
from tests.dsl.shop import shop

HEAD = "playbook p:\n  start on signed_up\n  enter once\n"
CATALOG = shop()


def characters(count: int) -> str:
    """Playbooks, and comments up to the last character."""
    one = HEAD + "".join(
        f"  if cart.total > ${n} and has product_viewed at least {n + 2} times in the last 30 days:\n"
        f"    send email hello\n"
        for n in range(10)
    )
    each = [one.replace("playbook p:", f"playbook p{n:04}:") for n in range(count // (len(one) + 4))]
    text = "".join(each)
    return text + "#" * (count - len(text) - 1) + "\n"


def steps(count: int) -> str:
    return HEAD + "  wait 1 day\n" * count


def brackets(count: int) -> str:
    return "segment s when " + "(" * count + "orders.count > 3" + ")" * count + "\n"


def nots(count: int) -> str:
    return "segment s when " + "not " * count + "orders.count > 3\n"


def blocks(count: int) -> str:
    lines = [f"{'  ' * (n + 1)}if cart.total > ${n}:\n" for n in range(count - 1)]
    return HEAD + "".join(lines) + "  " * count + "send email hello\n"


def asked(count: int) -> str:
    return "segment s when city is one of " + ", ".join(f'"{n}"' for n in range(count)) + "\n"


def asked_on_lines(count: int) -> str:
    return 'segment s when city is "0"\n' + "".join(f'  or city is "{n}"\n' for n in range(1, count))


def deep(count: int) -> str:
    """Conditions within each other, through segments."""
    lines = ["segment s1 when orders.count > 3\n"]
    lines += [f"segment s{n} when not in segment s{n - 1}\n" for n in range(2, count + 1)]
    return "".join(lines)


def ways(count: int) -> str:
    lines = [f'  {"otherwise " if n else ""}if city is "{n}":\n    send email hello\n' for n in range(count)]
    return HEAD + "".join(lines)


def about(count: int) -> str:
    return HEAD.replace("  enter", f'  about "{"x" * count}"\n  enter') + "  send email hello\n"


def name(count: int) -> str:
    return f"let {'x' * count} = $3\n"


def mistakes(count: int) -> str:
    return "hello\n" * count


LIMITS: tuple[tuple[Callable[[int], str], int, str], ...] = (
    (characters, LARGEST_FILE, "WB130"),
    (steps, MOST_STEPS, "WB133"),
    (brackets, DEEPEST_CONDITION, "WB131"),
    (nots, DEEPEST_CONDITION, "WB131"),
    (blocks, DEEPEST_BLOCK, "WB132"),
    (asked, MOST_TESTS, "WB225"),
    (asked_on_lines, MOST_TESTS, "WB225"),
    (deep, DEEPEST, "WB225"),
    (ways, MOST_WAYS, "WB322"),
    (about, LONGEST_ABOUT, "WB308"),
    (name, LONGEST_NAME, "WB114"),
)


@pytest.mark.parametrize(("made", "limit", "code"), LIMITS, ids=lambda value: getattr(value, "__name__", str(value)))
def test_at_the_limit_and_one_beyond(made: Callable[[int], str], limit: int, code: str) -> None:
    assert compile_sources({"a": made(limit)}, CATALOG).problems == ()
    beyond = compile_sources({"a": made(limit + 1)}, CATALOG).problems
    assert [problem.code for problem in beyond] == [code]
    assert beyond[0].hint


def test_mistakes_are_counted() -> None:
    """Those of the limit are told one by one, and what comes behind them in one."""
    told = compile_sources({"a": mistakes(MOST_PROBLEMS)}, CATALOG).problems
    assert {problem.code for problem in told} == {"WB125"} and len(told) == MOST_PROBLEMS
    told = compile_sources({"a": mistakes(MOST_PROBLEMS + 1)}, CATALOG).problems
    assert [problem.code for problem in told].count("WB134") == 1 and len(told) == MOST_PROBLEMS + 1


@pytest.mark.parametrize(
    "made",
    [characters, lambda size: asked(size // 8), lambda size: asked_on_lines(size // 20),
     lambda size: "let a = " + "x" * (size - 9) + "\n", lambda size: 'let a = "' + "x" * (size - 11) + '"\n',
     lambda size: HEAD + "  send email hello" + " " * (size - 80) + "\n", lambda size: deep(size // 40)],
    ids=["playbooks", "a long list", "a long condition", "a long name", "a long text", "a long line", "segments"],
)  # fmt: skip
def test_the_largest_file_takes_four_times_as_long_as_a_quarter_of_it(made: Callable[[int], str]) -> None:
    def spent(size: int) -> float:
        begun = process_time()
        compile_sources({"a": made(size)}, CATALOG)
        return process_time() - begun

    # Linear is 4, quadratic 16; what is too quick to measure says nothing.
    assert spent(LARGEST_FILE) < 10 * spent(LARGEST_FILE // 4) + 0.2
