"""Names of what steps act on: records, audiences, other playbooks, fields that a playbook may write."""

from __future__ import annotations

from dsl import syntax
from dsl.catalog import FIELDS, STAGE
from dsl.conditions import Field
from dsl.resolve.scope import Scope
from dsl.suggest import did_you_mean, listed

CONTACT = "contact"


def noun(word: syntax.Word, scope: Scope) -> str | None:
    """A record that `create` makes, or None with a problem told."""
    nouns = scope.catalog.nouns
    if word.text in nouns:
        return word.text
    hint = did_you_mean(word.text, nouns) or f"A CRM can be asked for {listed(sorted(nouns), 'or')}."
    if word.text == CONTACT:
        hint = "Everybody is a contact already. To change theirs, write `update contact:`."
    scope.tell("WB236", word.span, f"There is no record called `{word.text}`.", hint)
    return None


def contact(word: syntax.Word, scope: Scope) -> str | None:
    """The record that `update` changes, or None with a problem told."""
    if word.text == CONTACT:
        return word.text
    scope.tell(
        "WB236",
        word.span,
        f"`update` changes the person's own record, and `{word.text}` is none.",
        "Write `update contact:`.",
    )
    return None


def audience(word: syntax.Word, scope: Scope) -> str | None:
    """An audience that playbooks add people to, or None with a problem told."""
    name = word.text
    if name in scope.audiences:
        if not scope.audiences[name]:
            return name
        scope.tell(
            "WB238",
            word.span,
            f"The audience `{name}` has an `include` rule, and nobody is added to it or removed from it by hand.",
            "Change its rule, or make an audience without one.",
        )
    elif name not in scope.suspects:
        hint = did_you_mean(name, scope.audiences) or f"Declare it: `audience {name} on facebook:`."
        scope.tell("WB237", word.span, f"There is no audience called `{name}`.", hint)
    return None


def playbook(word: syntax.Word, scope: Scope) -> str | None:
    """Another playbook, or None with a problem told."""
    if word.text in scope.playbooks:
        return word.text
    if word.text not in scope.suspects:
        hint = did_you_mean(word.text, scope.playbooks) or "Its name stands behind the word `playbook` in its file."
        scope.tell("WB239", word.span, f"There is no playbook called `{word.text}`.", hint)
    return None


def own_field(word: syntax.Word, scope: Scope) -> Field | None:
    """A field of the shop's own, which a playbook may write, or None with a problem told."""
    name = word.text
    if name == STAGE:
        hint = "Change a condition of the lifecycle, or write a field that it asks about."
        scope.tell("WB240", word.span, "The stage of a person follows from the lifecycle alone.", hint)
        return None
    if (known := scope.catalog.fields.get(name)) and name not in FIELDS:
        return Field(scope="profile", name=name, type=known.type)
    if known or name.startswith("event."):
        scope.tell(
            "WB240",
            word.span,
            f"`{name}` is kept by the store, and no playbook can write it.",
            "Declare a field of your own, like `field referral.invited is yes_no`, and set that.",
        )
    elif name not in scope.suspects:
        own = [field for field in scope.catalog.fields if field not in FIELDS]
        hint = did_you_mean(name, own) or f"Declare it: `field {name} is text`."
        scope.tell("WB201", word.span, f"There is no field called `{name}`.", hint)
    return None
