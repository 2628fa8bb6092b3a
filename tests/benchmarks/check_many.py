"""How long `winback check` takes for a project of 100 varied playbooks: `python -m tests.benchmarks.check_many`.

The project is made by a seed: playbooks of 8 to 60 lines, a template for each, and files of segments and of the policy.
CPU seconds, the median of several runs: the whole command as a process of its own, and its parts in this one.
"""

from __future__ import annotations

import argparse
import random
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import process_time

TOML = '[shop]\nname = "Bench"\naddress = "1 Street, Oslo"\ncurrency = "USD"\n'
EVENTS = ("order_completed", "product_viewed", "product_added", "checkout_started", "signed_up", "products_searched")
TESTS = (
    "cart.total > ${n}",
    "orders.count >= {n}",
    "has {event} at least {few} times in the last {n} days",
    "has no {event} in the last {n} days",
    "last_seen_at is in the last {n} days",
    'city is one of "Oslo", "Bergen", "Place {n}"',
    "can receive email",
    "in segment group_{few}",
    "has order_completed in the last {n} days where total > ${n}",
)
BODY = """---
subject: A word from {{ shop.name }}
---
<mjml><mj-body><mj-section><mj-column>
<mj-text>Hello {{ profile.first_name | default('there') }}</mj-text>
{% for item in items %}<mj-text>{{ item.name }}: {{ item.price | money }}</mj-text>{% endfor %}
<mj-text>{{ shop.address }} <a href="{{ unsubscribe_url }}">Unsubscribe</a></mj-text>
</mj-column></mj-section></mj-body></mjml>
"""


def condition(chance: random.Random, count: int) -> str:
    """So many tests, joined by `and` and `or`."""
    tests = [
        chance.choice(TESTS).format(n=chance.randint(2, 90), few=chance.randint(1, 9), event=chance.choice(EVENTS))
        for _ in range(count)
    ]
    return chance.choice((" and ", " or ")).join(tests)


def steps(chance: random.Random, template: str, depth: int, indent: str) -> list[str]:
    """Some steps, as lines."""
    lines: list[str] = []
    for _ in range(chance.randint(2, 5)):
        kind = chance.choice(("send", "wait", "if") if depth else ("send", "wait"))
        if kind == "send":
            lines += [f"{indent}send email {template}:", f"{indent}  items = cart.items"]
        elif kind == "wait":
            lines.append(f"{indent}wait {chance.randint(1, 9)} {chance.choice(('hours', 'days'))}")
        else:
            lines.append(f"{indent}if {condition(chance, chance.randint(1, 3))}:")
            lines += steps(chance, template, depth - 1, indent + "  ")
            lines.append(f"{indent}otherwise:")
            lines += steps(chance, template, depth - 1, indent + "  ")
    return lines


def make(folder: Path, playbooks: int, seed: int) -> None:
    """The project's files."""
    chance = random.Random(seed)
    for place in ("playbooks", "templates/email"):
        (folder / place).mkdir(parents=True)
    (folder / "winback.toml").write_text(TOML)
    groups = "".join(f"segment group_{n} when orders.value > ${n}00 or orders.count > {n}\n" for n in range(1, 10))
    (folder / "playbooks" / "segments.playbook").write_text(groups)
    (folder / "playbooks" / "policy.playbook").write_text("policy:\n  quiet hours 21:00 to 08:00\n")
    for number in range(playbooks):
        lines = [
            f"playbook series_{number}:",
            f'  about "The series of number {number}."',
            f"  start on {chance.choice(EVENTS)}",
            f"  only if {condition(chance, 2)}",
            "  enter again after 30 days",
            "  leave on order_completed",
            "  goal order_completed within 90 days",
            *steps(chance, f"letter_{number}", 2, "  "),
        ]
        (folder / "playbooks" / f"series_{number}.playbook").write_text("\n".join(lines) + "\n")
        (folder / "templates" / "email" / f"letter_{number}.mjml").write_text(BODY)


def spent(done: Callable[[], object], runs: int) -> float:
    """The median of the CPU time in seconds."""
    times = []
    for _ in range(runs):
        begun = process_time()
        done()
        times.append(process_time() - begun)
    return median(times)


def command(folder: Path) -> float:
    """CPU seconds of `winback check` as a process of its own."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-m", "cli", "check", "--project", str(folder)], capture_output=True, text=True, check=False
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert "error" not in done.stderr.lower() or "0 errors" in done.stderr, done.stderr[-2000:]
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Prints a line a part."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--playbooks", type=int, default=100)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--runs", type=int, default=5)
    given = arguments.parse_args()
    with TemporaryDirectory() as place:
        folder = Path(place) / "project"
        make(folder, given.playbooks, given.seed)
        from dsl.compile import compile_sources
        from dsl.parser import parse
        from flows.project import open_project, sources

        texts = sources([folder / "playbooks"], folder)
        catalog = open_project(folder).catalog
        lines = sum(text.count("\n") for text in texts.values())
        told = [
            ("the whole command", median(command(folder) for _ in range(given.runs))),
            ("templates read and described", spent(lambda: open_project(folder).catalog, given.runs)),
            ("playbooks parsed", spent(lambda: [parse(text, path) for path, text in texts.items()], given.runs)),
            ("playbooks compiled", spent(lambda: compile_sources(texts, catalog), given.runs)),
        ]
        sys.stdout.write(f"{given.playbooks} playbooks, {lines:,} lines; CPU seconds, median of {given.runs}:\n")
        for name, seconds in told:
            sys.stdout.write(f"{seconds:8.3f}  {name}\n")


if __name__ == "__main__":
    main()
