"""One file with every form of the language: it compiles clean, and no alternative of the grammar is left out."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from lark.grammar import Rule

from dsl import plan
from dsl.compile import compile_sources
from dsl.format import canonical
from dsl.grammar import grammar
from dsl.outline import label, outline
from dsl.outline import settings as outline_settings
from dsl.parser import parse
from tests.dsl.plans_by_chance import random_plan
from tests.dsl.shop import shop

FORMS = Path(__file__).with_name("forms.playbook").read_text(encoding="utf-8")
_MENDING = ("broken", "any_line")
"""What only stands for lines that could not be read."""


def test_every_form_compiles_without_a_word() -> None:
    compiled = compile_sources({"forms.playbook": FORMS}, shop())
    assert compiled.problems == ()
    assert set(compiled.plans) == {"forms_of_conditions", "reminders", "win_back", "welcome_back"}
    assert [stage.name for stage in compiled.lifecycle] == ["unhappy", "hero", "at_risk", "active", "prospect"]
    assert set(compiled.audiences) == {"recent_buyers", "visitors", "lapsed_customers"}


def test_the_forms_are_in_canonical_form() -> None:
    assert canonical(FORMS) == FORMS


def test_every_plan_is_the_same_after_it_was_json_and_reads_as_lines() -> None:
    for made in compile_sources({"forms.playbook": FORMS}, shop()).plans.values():
        assert plan.from_json(made.to_json()) == made
        lines = [line.text for line in outline(made)]
        assert all(line and "None" not in line for line in (*lines, *outline_settings(made, "USD")))
        assert {label(step, "USD") for step in made.steps if not isinstance(step, plan.Branch | plan.Experiment)} <= {
            *lines
        }


@settings(max_examples=100, deadline=None)
@given(st.randoms(use_true_random=False))
def test_a_plan_by_chance_is_the_same_after_it_was_json_and_each_step_has_a_line(chance: random.Random) -> None:
    made = random_plan(chance, every_form=True)
    again = plan.from_json(json.loads(json.dumps(made.to_json())))
    assert again == made
    assert again.digest == made.digest
    assert all(label(step, "USD") for step in made.steps)


def test_every_alternative_of_the_grammar_is_reached() -> None:
    reached: set[Rule] = set()
    with _watched(reached):
        assert parse(FORMS, "forms.playbook")[1] == ()
    rules = {rule for rule in grammar().rules if not _is_mending(rule) and rule.origin.name != "start"}
    left = sorted(f"{rule.origin.name}: {' '.join(part.name for part in rule.expansion)}" for rule in rules - reached)
    assert not left
    assert len(rules) > 250


def _is_mending(rule: Rule) -> bool:
    names = [str(rule.origin.name), *(str(part.name) for part in rule.expansion)]
    return any(name.lstrip("_").startswith(_MENDING) for name in names)


@contextmanager
def _watched(reached: set[Rule]) -> Iterator[None]:
    """Notes every rule that the parser completes."""
    callbacks = grammar().parser.parser.parser.callbacks
    before = dict(callbacks)

    def noting(rule: Rule, made: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def note(parts: Any) -> Any:
            reached.add(rule)
            return made(parts)

        return note

    callbacks.update({rule: noting(rule, made) for rule, made in before.items()})
    try:
        yield
    finally:
        callbacks.update(before)
