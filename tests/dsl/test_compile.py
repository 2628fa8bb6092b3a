"""The whole compiler: which playbooks become plans, what happens with broken ones, and how long it takes."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from dsl.compile import compile_sources
from tests.dsl.chunks import chunks
from tests.dsl.shop import shop

GOOD = "playbook good:\n  start on signed_up\n  enter once\n  send email hello\n"
POLICY = "policy:\n  limit email to 3 per 7 days\n"
PLANS = Path(__file__).parents[1] / "plans"
BROKEN, SENSE = Path(__file__).parents[1] / "broken", Path(__file__).parent / "sense"


def plans(*files: str) -> set[str]:
    return set(compile_sources({f"{n}.playbook": text for n, text in enumerate(files)}, shop()).plans)


def test_only_playbooks_without_errors_become_plans() -> None:
    bad = "playbook bad:\n  start on signed_up\n  enter once\n  send emial hello\n"
    warned = "playbook warned:\n  start on signed_up\n  enter once\n  send sms last_call\n"
    assert plans(GOOD + bad + warned) == {"good", "warned"}
    assert plans(bad + GOOD) == {"good"}


def test_a_playbook_that_uses_something_broken_becomes_no_plan() -> None:
    uses = "playbook uses:\n  start on signed_up\n  enter once\n  if in segment s:\n    send email hello\n"
    assert plans("segment s when cart.totl > $3\n", uses + GOOD) == {"good"}
    assert plans("segment s wehn cart.total > $3 3\n", uses + GOOD) == {"good"}
    assert plans("segment s when cart.total > c\nlet c = €3\n", uses + GOOD) == {"good"}


def test_neither_of_two_playbooks_of_one_name_becomes_a_plan() -> None:
    assert plans(GOOD, GOOD) == set()


@pytest.mark.parametrize(
    "policy",
    [
        POLICY.replace("email", "emial"),
        POLICY.replace("per 7 days", "per 7"),
        POLICY.replace("policy", "polcy"),
        POLICY + POLICY,
        POLICY.replace("limit", "limt"),
    ],
)
def test_a_broken_policy_leaves_no_plans(policy: str) -> None:
    """Else a slip in it would let messages through that it forbids."""
    assert plans(POLICY, GOOD) == {"good"}
    assert plans(policy, GOOD) == set()


def test_a_file_too_big_to_be_read_leaves_no_plans() -> None:
    assert plans(GOOD, "# x\n" * 100_000) == set()


def test_sources_are_the_playbooks_as_written() -> None:
    text = "# Before.\n" + GOOD + "\n# About the next.\nlet a = 3\n" + GOOD.replace("good", "other").rstrip()
    found = compile_sources({"a.playbook": text}, shop()).sources
    assert found == {"good": GOOD, "other": GOOD.replace("good", "other")}


def test_problems_are_sorted_and_the_order_of_files_does_not_matter() -> None:
    texts = {"b.playbook": GOOD.replace("email", "emial"), "a.playbook": "let a = €3\n\nlet a = €4\n"}
    first = compile_sources(texts, shop())
    again = compile_sources(dict(reversed(texts.items())), shop())
    assert first == again
    assert [(p.span.file, p.span.line) for p in first.problems] == [
        ("a.playbook", 1),
        ("a.playbook", 3),
        ("b.playbook", 4),
    ]


def test_nothing_at_all() -> None:
    compiled = compile_sources({"empty.playbook": ""}, shop())
    assert compiled.ok
    assert compiled.plans == {}


def damaged(text: str, chance: random.Random) -> str:
    """A text with a few words, lines and signs lost, doubled or swapped."""
    lines = text.split("\n")
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(lines))
        words = lines[at].split(" ")
        spot = chance.randrange(len(words))
        match chance.randrange(6):
            case 0:
                del words[spot]
            case 1:
                words[spot] += chance.choice([":", "x", '"', "(", "%", "$5", " and", " 3 days"])
            case 2:
                other = chance.choice(lines).split()
                words[spot] = chance.choice(other or [""])
            case 3:
                words.insert(spot, words[spot])
            case 4:
                lines[at], lines[-1] = lines[-1], lines[at]
                continue
            case _:
                words = ["", *words]
        lines[at] = " ".join(words)
    return "\n".join(lines)


@pytest.mark.parametrize("seed", range(8))
def test_damaged_playbooks_never_raise(seed: int) -> None:
    chance = random.Random(seed)
    sources = [path.read_text(encoding="utf-8") for path in sorted(PLANS.glob("*.playbook"))]
    sources += [chunk.source for folder in (BROKEN, SENSE) for chunk in chunks(folder).values()]
    for _ in range(40):
        texts = {f"{n}.playbook": damaged(chance.choice(sources), chance) for n in range(2)}
        compiled = compile_sources(texts, shop())
        for problem in compiled.problems:
            lines = texts[problem.span.file].count("\n") + 2
            assert 1 <= problem.span.line <= lines
            assert problem.span.column >= 1
            assert problem.message.endswith((".", "?", "!")), problem.message
            assert problem.hint or problem.code < "WB2", problem
        for made in compiled.plans.values():
            assert made.digest


def test_four_times_the_playbooks_take_four_times_as_long() -> None:
    """Names are looked up, not searched for: with 16 times, something would be quadratic."""
    text = (PLANS / "abandoned_cart.playbook").read_text(encoding="utf-8")
    head, _, body = text.partition("playbook abandoned_cart:")

    def spent(count: int) -> float:
        texts = {f"{n}": f"playbook p{n}:{body}".replace("subject_line", f"subject_{n}") for n in range(count)}
        begun = time.process_time()
        compiled = compile_sources({**texts, "head": head}, shop())
        assert len(compiled.plans) == count
        return time.process_time() - begun

    spent(1)
    assert spent(100) < 10 * spent(25)
