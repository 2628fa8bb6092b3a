"""What is wrong when no line can begin with a word, or not in this place."""

from __future__ import annotations

from collections.abc import Callable

from dsl.complaints.trouble import Complaint, Trouble, listed, near, quoted, reserved
from dsl.complaints.vocabulary import (
    BELONGS,
    CLOSERS,
    ELSEWHERE,
    EXAMPLES,
    FOREIGN,
    HEADLESS,
    LOOPS,
    PLACES,
    PROGRAMS,
)
from dsl.grammar import words


def explain_first(trouble: Trouble) -> Complaint:
    """The complaint about a line's first word."""
    for question in _QUESTIONS:
        if complaint := question(trouble):
            return complaint
    return _unknown(trouble)


def _otherwise(trouble: Trouble) -> Complaint | None:
    if trouble.token.type != "OTHERWISE" and trouble.text not in {"else", "elif", "elsif", "elseif"}:
        return None
    if trouble.fits(0, ("OTHERWISE",)):
        return None
    named = "It" if trouble.token.type == "OTHERWISE" else "The word is `otherwise`, and it"
    return trouble.complain(
        "WB120",
        f"This {quoted(trouble.text)} has no `if`.",
        f"{named} stands right behind the block of an `if`, and is indented exactly like it.",
    )


def _misplaced(trouble: Trouble) -> Complaint | None:
    place = PLACES.get(trouble.token.type)
    if place is None or trouble.expected <= {"NAME", "BROKEN_LINE", "_DEDENT"}:
        return None
    word, hint = quoted(trouble.text), None
    if not trouble.around and place in {"step", "playbook", "playbook or experiment"}:
        hint = "Indent it by two spaces, below a line like `playbook abandoned_cart:`."
    elif place == "step" and trouble.around == "EXPERIMENT":
        hint = "In an experiment they stand below a line like `variant free_shipping 50%:`."
    elif place == "file":
        hint = "Take the blanks before it away."
    elif place == "playbook":
        hint = "Give it the indentation of the first lines of its playbook, two spaces."
    return trouble.complain("WB121", f"{word} {BELONGS[place]}.", hint)


def _name_expected(trouble: Trouble) -> Complaint | None:
    """In the blocks of `event` and `send`, where each line begins with a name."""
    if "NAME" not in trouble.expected or trouble.token.type not in words() or not trouble.text.isalpha():
        return None
    if trouble.after is None or trouble.after.type not in {"IS", "EQUAL"}:
        return None
    return reserved(trouble)


def _goes_on(trouble: Trouble) -> Complaint | None:
    if trouble.token.type not in {"AND", "OR"}:
        return None
    return trouble.complain(
        "WB125",
        f"A line that begins with {quoted(trouble.text)} goes on with the one above, but there is none.",
        "Put it below the condition that it belongs to.",
    )


def _closer(trouble: Trouble) -> Complaint | None:
    if trouble.text.lower() not in CLOSERS:
        return None
    return trouble.complain(
        "WB111",
        f"{quoted(trouble.text)} is not needed: a block ends where its indentation ends.",
        "Delete this line.",
    )


def _comment(trouble: Trouble) -> Complaint | None:
    if trouble.text not in {"/", "//", "/*", "--", "-", ";", "<"} or trouble.line[0] is not trouble.token:
        return None
    return trouble.complain("WB111", "A comment begins with another sign here.", "Write `# …`.")


def _loop(trouble: Trouble) -> Complaint | None:
    if trouble.text.lower() not in LOOPS:
        return None
    return trouble.complain(
        "WB111",
        "There are no loops in a playbook, so that it always ends.",
        "To let people come in again, write `enter again after 14 days`.",
    )


def _capitals(trouble: Trouble) -> Complaint | None:
    text = trouble.text.lower()
    kind = next((kind for kind, word in words().items() if word == text), None)
    if trouble.token.type != "ODD_WORD" or kind not in trouble.expected:
        return None
    return trouble.complain(
        "WB112", f"{quoted(trouble.text)} is written in small letters here.", f"Write `{text}`.", instead=(kind,)
    )


def _foreign(trouble: Trouble) -> Complaint | None:
    def goes_on(kinds: tuple[str, ...]) -> bool:
        return trouble.fits(0, (*kinds, trouble.after.type if trouble.after else "_NL"))

    # `exit on …` is meant as `leave on …`, and a bare `exit` as `stop`.
    for kinds in sorted(FOREIGN.get(trouble.text.lower(), ()), key=goes_on, reverse=True):
        if trouble.fits(0, kinds):
            meant = " ".join(kind.partition(" ")[2] or words()[kind] for kind in kinds)
            known = trouble.token.type in words()
            return trouble.complain(
                "WB111",
                f"No line begins with {quoted(trouble.text)}."
                if known
                else f"{quoted(trouble.text)} is not a word of this language.",
                f"Did you mean `{meant}`?" + ("" if goes_on(kinds) else f" {_looks(kinds[0])}"),
                instead=kinds if trouble.after is None or goes_on(kinds) else None,
            )
    return None


def _elsewhere(trouble: Trouble) -> Complaint | None:
    """`conditional split`, `time delay`: what other tools call it in two words."""
    if trouble.after is None:
        return None
    pair = trouble.text.lower(), str(trouble.after).lower()
    kinds = ELSEWHERE.get(pair)
    if kinds is None or not trouble.fits(0, kinds):
        return None
    behind = trouble.line[trouble.index + 2].type if trouble.index + 2 < len(trouble.line) else "_NL"
    return trouble.complain(
        "WB111",
        f"`{pair[0]} {pair[1]}` has another name in this language.",
        f"Did you mean `{' '.join(words()[kind] for kind in kinds)}`? {_looks(kinds[0])}",
        instead=kinds if trouble.fits(0, (*kinds, behind)) else None,
        taken=2,
    )


def _looks(kind: str) -> str:
    forms = EXAMPLES.get(kind, ())[:2]
    return f"Write it like {listed([f'`{form}`' for form in forms])}." if forms else ""


def _headless(trouble: Trouble) -> Complaint | None:
    """`when cart.total > $50`, `once`, `2 days`: the first word is left out."""
    first = HEADLESS.get(trouble.token.type)
    if first is None or not trouble.fits(0, (first, trouble.token.type)):
        return None
    word = words()[first]
    return trouble.complain(
        "WB112",
        f"`{word}` is missing before {quoted(trouble.text)}.",
        f"Write `{word} {trouble.text} …`." if trouble.after else f"Write `{word} {trouble.text}`.",
        instead=(first,),
        taken=0,
        sure=False,
    )


def _program(trouble: Trouble) -> Complaint | None:
    what = PROGRAMS.get(trouble.text.lower())
    if what is None:
        return None
    hint = "Conditions stand in lines like `if cart.total > $50:`, and what happens in lines like `send email welcome`."
    if not trouble.around:
        hint = "It begins with a line like `playbook welcome:`, and below it stand who enters and what happens to them."
    return trouble.complain("WB125", f"A playbook is not {what}, so that no line begins with `{trouble.text}`.", hint)


def _two_words(trouble: Trouble) -> Complaint | None:
    """`email welcome`, `x = 5` and the like: a whole line whose first word is missing."""
    if trouble.token.type != "NAME" or trouble.after is None:
        return None
    if trouble.after.type == "EQUAL" and "LET" in trouble.expected:
        return trouble.complain(
            "WB112", "`let` is missing before this name.", f"Write `let {trouble.text} = …`.", instead=("LET",), taken=0
        )
    if trouble.after.type == "EQUAL":
        return trouble.complain(
            "WB121",
            "A line like this gives a `send` an argument, but it does not stand in the block of a `send`.",
            "End the line with `send` with a colon, and indent this line by two spaces more than that one.",
        )
    if trouble.text in {"email", "sms", "push", "webhook", "whatsapp"} and "SEND" in trouble.expected:
        return trouble.complain(
            "WB112",
            f"`send` is missing before {quoted(trouble.text)}.",
            f"Write `send {trouble.text} …`.",
            instead=("SEND",),
            taken=0,
            sure=False,
        )
    return None


def _misspelt(trouble: Trouble) -> Complaint | None:
    kind = near(trouble.text, trouble.expected)
    if kind is None:
        return None
    goes_on = trouble.after is None or trouble.fits(0, (kind, trouble.after.type))
    return trouble.complain(
        "WB112",
        f"No line can begin with {quoted(trouble.text)} here.",
        f"Did you mean `{words()[kind]}`?",
        instead=(kind,) if goes_on else None,
        sure=False,
    )


def _unknown(trouble: Trouble) -> Complaint:
    fixed = words()
    # Below a broken line `otherwise` may go on, but at the left edge it never does.
    expected = trouble.expected if trouble.around else trouble.expected - {"OTHERWISE"}
    starts = [fixed[kind] for kind in EXAMPLES if kind in expected and kind in fixed]
    if {"QUIET", "SEND"} <= trouble.expected:  # below a line that could not be read every kind of line may stand
        hint = "Mend the line above this block first: what may stand here depends on it."
    elif starts:
        hint = f"Here a line begins with {listed([f'`{word}`' for word in starts])}."
    elif trouble.around == "EVENT":
        hint = "Here a line names a property and its type, like `appointment_id is text`."
    else:
        hint = "Here a line gives an argument, like `items = cart.items`."
    return trouble.complain("WB125", f"No line can begin with {quoted(trouble.text)} here.", hint)


_QUESTIONS: tuple[Callable[[Trouble], Complaint | None], ...] = (
    _otherwise,
    _name_expected,
    _misplaced,
    _goes_on,
    _closer,
    _comment,
    _loop,
    _elsewhere,
    _headless,
    _capitals,
    _foreign,
    _program,
    _two_words,
    _misspelt,
)
