"""What is wrong with what a `wait` waits for."""

from __future__ import annotations

from difflib import get_close_matches

from dsl.complaints.trouble import Complaint, Trouble, listed, quoted
from dsl.complaints.vocabulary import COUNTS, TIMES_ELSEWHERE
from dsl.plan import WEEKDAYS


def wait_until(trouble: Trouble) -> Complaint | None:
    """`wait until thurday 10:00`, `wait until next monday`, `wait until tomorrow 9am`"""
    back = 0 if trouble.before is not None and trouble.before.type == "UNTIL" else 1
    place = trouble.index - back
    if trouble.line[0].type != "WAIT" or place < 2 or trouble.line[place - 1].type != "UNTIL":
        return None
    word, after = trouble.line[place], trouble.line[place + 1] if place + 1 < len(trouble.line) else None
    text, day = str(word).lower(), str(after).lower() if after else ""
    if day in WEEKDAYS and text in {"next", "coming", "the", "on", "this"}:
        hint = f"Leave it out: the next one is meant, like `wait until {day} 09:00`."
        return trouble.complain("WB112", f"{quoted(str(word))} is too much here.", hint, back=back)
    if text in TIMES_ELSEWHERE:
        hint = f"Write a time, like `{TIMES_ELSEWHERE[text]}`."
        return trouble.complain("WB111", f"{quoted(str(word))} is not a word of this language.", hint, back=back)
    if text in WEEKDAYS:
        return None
    if word.type in {"NAME", "ODD_WORD"} and after is not None and after.type in {"CLOCK_TIME", "NUMBER", "ODD_NUMBER"}:
        return weekday(trouble, back)
    return None


def wait_for(trouble: Trouble) -> Complaint | None:
    """`wait for 3 days`"""
    before = trouble.before
    if before is None or before.type != "FOR" or trouble.line[0].type != "WAIT" or trouble.index != 2:
        return None
    if trouble.token.type not in {"DURATION", "NUMBER", "ODD_NUMBER"} and trouble.text not in COUNTS:
        return None
    return trouble.complain(
        "WB112", "`for` is too much here: behind it comes an event.", "Leave it out.", instead=(), back=1
    )


def weekday(trouble: Trouble, back: int = 0) -> Complaint | None:
    """`wait until thurday 10:00`, `quiet days saterday`"""
    word = trouble.line[trouble.index - back]
    if (not back and "WEEKDAY" not in trouble.expected) or word.type not in {"NAME", "ODD_WORD"}:
        return None
    text = word.lower()
    short = [day for day in WEEKDAYS if len(text) in {2, 3, 4} and day.startswith(text)]
    found = short or get_close_matches(text, WEEKDAYS, n=1, cutoff=0.7)
    return trouble.complain(
        "WB112",
        f"{quoted(str(word))} is not a weekday.",
        f"Did you mean `{found[0]}`?" if found else f"They are {listed(WEEKDAYS)}.",
        instead=(f"WEEKDAY {found[0]}",) if found else None,
        back=back,
        sure=False,
    )
