"""What people write out of habit from SQL, Python, spreadsheets and other tools, in the middle of a line."""

from __future__ import annotations

import re
from collections.abc import Callable

from dsl.complaints.trouble import Complaint, Trouble, quoted
from dsl.complaints.vocabulary import EVENTS_ELSEWHERE, PEOPLE
from dsl.standard import EVENTS

COUNTS = {">=": "at least", "<=": "at most", "=": "exactly", "==": "exactly", ">": "more", "<": "fewer"}


def days_ago(trouble: Trouble) -> Complaint | None:
    """`orders.last_at > 90 days ago`"""
    before = trouble.before
    if trouble.text != "ago" or before is None or before.type != "DURATION" or trouble.index < 3:
        return None
    sign, field = str(trouble.line[trouble.index - 2]), _field(trouble, trouble.index - 3)
    if sign in {">", ">="}:
        hint = f"Write `{field} is in the last {before}` for what happened since then, "
        hint += f"`{field} is more than {before} ago` for what happened earlier."
    else:
        hint = f"Write `{field} is more than {before} ago`."
    return trouble.complain("WB111", f"`{sign} {before} ago` is not how times are compared.", hint, back=2, taken=3)


def sql_now(trouble: Trouble) -> Complaint | None:
    """`orders.last_at < NOW() - INTERVAL 90 DAY`"""
    if trouble.text.lower() not in {"now", "today", "current_date", "current_timestamp", "getdate", "sysdate"}:
        return None
    if trouble.before is None or trouble.before.type not in {"OPERATOR", "IS"}:
        return None
    field = _field(trouble, trouble.index - 2)
    return trouble.complain(
        "WB111",
        f"{quoted(trouble.text)} is not needed: times are compared with the present by words.",
        f"Write it like `{field} is more than 90 days ago`, `{field} is in the last 7 days` "
        f"or `{field} is before 2026-12-24`.",
    )


def one_of(trouble: Trouble) -> Complaint | None:
    """`country in ("US", "CA")`, `email like "%@x.com"`"""
    if "IS" not in trouble.expected or trouble.before is None or trouble.before.type != "NAME":
        return None
    field = _field(trouble, trouble.index - 1)
    after = trouble.after.type if trouble.after else ""
    match trouble.text.lower():
        case "in" if after in {"LPAR", "STRING"}:
            return trouble.complain("WB111", "A list has no brackets here.", f'Write `{field} is one of "a", "b"`.')
        case "like" | "ilike" | "matches":
            return trouble.complain(
                "WB111",
                f"{quoted(trouble.text)} is not a word of this language.",
                f'Write `{field} contains "text"` or `{field} starts with "text"`, without `%`.',
            )
        case "in" if after == "THE":
            return trouble.complain(
                "WB112",
                f"`{field} in the last …` lacks a word.",
                f"If `{field}` is a field, write `{field} is in the last 7 days`; "
                f"if it is an event, `has {field} in the last 7 days`.",
            )
    return None


def again_the_field(trouble: Trouble) -> Complaint | None:
    """`orders.count >= 2 and <= 5`"""
    before = trouble.before
    if before is None or before.type not in {"AND", "OR"} or trouble.token.type not in {"OPERATOR", "IS"}:
        return None
    signs = [place for place in range(1, trouble.index) if trouble.line[place].type in {"OPERATOR", "IS"}]
    if not signs:
        return None
    field = _field(trouble, signs[-1] - 1)
    return trouble.complain(
        "WB112",
        f"Behind `{before}` the field must stand again.",
        f"Write `{before} {field} {trouble.text} …`.",
    )


def count_by_sign(trouble: Trouble) -> Complaint | None:
    """`has order_completed >= 4 times`"""
    count = trouble.after
    if "EXACTLY" not in trouble.expected or trouble.text not in COUNTS:
        return None
    if count is None or count.type != "NUMBER":
        return None
    words, number = COUNTS[trouble.text], str(count)
    if words in {"more", "fewer"}:
        step = 1 if words == "more" else -1
        number = str(int(number) + step) if number.isdecimal() else number
        words = "at least" if words == "more" else "at most"
    return trouble.complain(
        "WB111", "How often something happened is told in words.", f"Write `{words} {number} times`.", taken=2
    )


def afternoon(trouble: Trouble) -> Complaint | None:
    """`wait until 9:00 pm`"""
    before = trouble.before
    if trouble.text.lower() not in {"am", "pm", "a.m", "p.m"} or before is None or before.type != "CLOCK_TIME":
        return None
    hour, minute = (int(part) for part in str(before).split(":"))
    hour = hour % 12 + (12 if trouble.text.lower().startswith("p") else 0) if hour <= 12 else hour
    return trouble.complain(
        "WB117",
        f"`{before} {trouble.text}` is not a time.",
        f"Write it by the 24-hour clock: `{hour:02}:{minute:02}`.",
        back=1,
        taken=2,
    )


def spaced_event(trouble: Trouble) -> Complaint | None:
    """`start on Order Completed`, as the events are called where they come from."""
    before = trouble.before
    if trouble.token.type != "ODD_WORD" or before is None or before.type not in {"ON", "HAS", "NO", "GOAL", "MEASURE"}:
        return None
    written = [trouble.token]
    for token in trouble.line[trouble.index + 1 :]:
        if token.type != "ODD_WORD" or not re.fullmatch("[A-Z][a-z]*", str(token)):
            break
        written.append(token)
    if len(written) < 2:
        return None
    name = "_".join(str(token).lower() for token in written)
    return trouble.complain(
        "WB114",
        "The name of an event is one word here: small letters, with underscores for the blanks.",
        f"Write `{name}`.",
        instead=(f"NAME {name}",),
        taken=len(written),
        kept=False,
    )


def segment_of_field(trouble: Trouble) -> Complaint | None:
    """`email in segment loyal`, `customer is in segment loyal`"""
    kinds = [token.type for token in trouble.line]
    place = trouble.index + 1 if trouble.text == "in" else trouble.index
    if place >= len(kinds) or kinds[place] not in {"SEGMENT", "AUDIENCE"} or kinds[place - 1] != "IN":
        return None
    start = place - (3 if kinds[place - 2] == "IS" else 2)
    while start >= 3 and kinds[start - 1] == "DOT":
        start -= 2
    if start < 1 or kinds[start] not in {"NAME", "EVENT"}:
        return None
    name = str(trouble.line[place + 1]) if place + 1 < len(kinds) else "…"
    told = " ".join(str(token) for token in trouble.line[start : place - 1]).replace(" . ", ".")
    taken = place - 1 - start
    noun = trouble.line[place]
    return trouble.complain(
        "WB112",
        f"A person is in the {noun} `{name}`, not a field: `{told}` is too much here.",
        f"Write `in {noun} {name}`.",
        instead=(),
        back=trouble.index - start,
        taken=taken,
    )


def has_not(trouble: Trouble) -> Complaint | None:
    """`has not order_completed`, `customer has order_completed`"""
    before = trouble.before
    if before is not None and before.type == "HAS" and "BEEN" in trouble.expected:
        field = _field(trouble, trouble.index - 2)
        return trouble.complain(
            "WB112",
            f"`has` begins a condition; nobody needs to be named before it, so `{field}` is too much.",
            "Write it like `has order_completed in the last 90 days` or `has no order_completed in the last 90 days`.",
            back=2,
            taken=2,
        )
    if trouble.token.type == "NOT" and before is not None and before.type == "HAS":
        return trouble.complain("WB112", "`not` does not fit here.", "Write `has no …`.", instead=("NO",))
    return None


def money_and(trouble: Trouble) -> Complaint | None:
    """`cart.total > 100 AND …`, where `100 AND` was taken for an amount of some currency"""
    before = trouble.before
    if before is None or before.type != "MONEY" or not str(before).endswith(" AND"):
        return None
    number = str(before).removesuffix(" AND")
    return trouble.complain(
        "WB112",
        "`AND` is written in small letters here.",
        "Write `and`.",
        instead=(f"NUMBER {number}", "AND"),
        back=1,
    )


def person_named(trouble: Trouble) -> Complaint | None:
    """`if contact opens email`, `start when customer signs up`"""
    before, text = trouble.before, trouble.text.lower()
    if before is None or str(before) not in PEOPLE or trouble.token.type not in {"NAME", "ODD_WORD", "HAS", "OPENED"}:
        return None
    if "OPERATOR" not in trouble.expected:
        return None
    if text.startswith(("open", "click", "receiv", "read")):
        stem = "clicked" if text.startswith("click") else "received" if text.startswith("receiv") else "opened"
        hint = f"Write it like `{stem} welcome in the last 3 days`, with the name of the template."
    else:
        hint = "Write what somebody did as an event, like `has order_completed in the last 7 days`, and what is known "
        hint += 'of them as a field, like `city is "Oslo"`.'
    return trouble.complain(
        "WB112", f"Every condition is about the person, so that nobody is named: `{before}` is too much.", hint, back=1,
        taken=2,
    )  # fmt: skip


def bare_name(trouble: Trouble) -> Complaint | None:
    """`if loyal:`, `only if loyal and …`: a name without a question"""
    before = trouble.before
    if before is None or before.type != "NAME" or not {"OPERATOR", "IS"} <= trouble.expected:
        return None
    if trouble.token.type not in {"COLON", "AND", "OR", "RPAR"}:
        return None
    name = _field(trouble, trouble.index - 1)
    hint = f"If it is a field, write `{name} is known` or `{name} is yes`"
    if "." not in name:
        hint += f"; if it is a segment, `in segment {name}`; if it is an event, `has {name}`"
    return trouble.complain("WB101", f"Nothing is asked of `{name}`.", f"{hint}.", back=1)


def again_the_value(trouble: Trouble) -> Complaint | None:
    """`city is "Oslo" or "Bergen"`, `orders.count is 1 or 2`"""
    before = trouble.before
    if before is None or before.type not in {"AND", "OR"} or "HAS" not in trouble.expected:
        return None
    signs = [place for place in range(1, trouble.index) if trouble.line[place].type in {"OPERATOR", "IS"}]
    if trouble.token.type not in {"STRING", "NUMBER", "MONEY", "ODD_WORD"} or not signs:
        return None
    field, sign = _field(trouble, signs[-1] - 1), trouble.line[signs[-1]]
    hint = f"Write `{before} {field} {sign} {trouble.token}`."
    if sign.type == "IS" and before.type == "OR":
        hint = f"Write `{field} is one of {trouble.line[signs[-1] + 1]}, {trouble.token}`."
    return trouble.complain("WB112", f"Behind `{before}` the field must stand again.", hint)


def is_over(trouble: Trouble) -> Complaint | None:
    """`orders.value is over $500`, `orders.count is at least 3`"""
    before = trouble.before
    if trouble.text == "at" and before is not None and before.type == "IS" and trouble.after is not None:
        sign = {"least": ">=", "most": "<="}.get(str(trouble.after))
        if sign:
            told = f"is at {trouble.after}"
            hint = f"Write the sign `{sign}` in place of all three words."
            return trouble.complain("WB111", f"`{told}` is not a comparison of this language.", hint, back=1, taken=3)
    signs = {**dict.fromkeys(("over", "above"), ">"), **dict.fromkeys(("under", "below"), "<")}
    if before is None or str(before) not in signs or trouble.index < 2 or trouble.line[trouble.index - 2].type != "IS":
        return None
    hint = f"Write the sign `{signs[str(before)]}` in place of both words."
    return trouble.complain("WB111", f"`is {before}` is not a comparison of this language.", hint, back=2, taken=2)


def how_long(trouble: Trouble) -> Complaint | None:
    """`has no order_completed for 90 days`, `has order_completed within 7 days`"""
    event, after = trouble.before, trouble.after
    if trouble.token.type == "DURATION" and event is not None and event.type == "IN" and "THE" in trouble.expected:
        message, hint = f"`in {trouble.text}` does not say from when to when.", f"Write `in the last {trouble.text}`."
        return trouble.complain("WB111", message, hint, instead=("THE", "LAST"), taken=0)
    if trouble.text not in {"for", "within", "in", "during"} or "SINCE" not in trouble.expected or after is None:
        return None
    if after.type != "DURATION" or event is None:
        return None
    return trouble.complain(
        "WB111",
        f"`{trouble.text} {after}` does not say from when to when.",
        f"Write `in the last {after}`.",
        instead=("IN", "THE", "LAST"),
    )


def when_for_if(trouble: Trouble) -> Complaint | None:
    """`leave if has order_completed`, `segment s if …`"""
    if trouble.text not in {"if", "where"} or "WHEN" not in trouble.expected:
        return None
    return trouble.complain("WB112", f"`{trouble.text}` does not fit here.", "Write `when`.", instead=("WHEN",))


def enter_every(trouble: Trouble) -> Complaint | None:
    """`enter every 30 days`"""
    if trouble.line[0].type != "ENTER" or trouble.token.type != "DURATION" or "TIME" not in trouble.expected:
        return None
    hint = f"Write `enter again after {trouble.text}`."
    return trouble.complain("WB112", "How long people stay out is said with `again after`.", hint, back=1, taken=2)


def between_dates(trouble: Trouble) -> Complaint | None:
    """`last_seen_at BETWEEN 2026-01-01 AND 2026-02-01`, `orders.count between 2 and 5`"""
    before, after = trouble.before, trouble.after
    if (
        trouble.text.lower() != "between"
        or before is None
        or before.type != "NAME"
        or "OPERATOR" not in trouble.expected
    ):
        return None
    field = _field(trouble, trouble.index - 1)
    values = [str(token) for token in trouble.line[trouble.index + 1 : trouble.index + 4]]
    low, high = (values[0], values[2]) if len(values) == 3 else ("2", "5")
    if after is not None and after.type == "DATE":
        hint = f"Write `{field} is after {low} and {field} is before {high}`."
    else:
        hint = f"Write `{field} >= {low} and {field} <= {high}`."
    return trouble.complain(
        "WB111", "Only events are asked about with `between`.", hint, taken=min(4, len(trouble.line) - trouble.index)
    )


def two_word_event(trouble: Trouble) -> Complaint | None:
    """`has placed order`, `start on order completed`"""
    before = trouble.before
    if before is None or before.type != "NAME" or trouble.token.type != "NAME" or trouble.index < 2:
        return None
    if trouble.line[trouble.index - 2].type not in {"ON", "HAS", "NO", "GOAL", "MEASURE"}:
        return None
    joined = f"{before}_{trouble.token}"
    if joined not in EVENTS_ELSEWHERE and joined not in EVENTS:
        return None
    written = EVENTS_ELSEWHERE.get(joined, joined)
    return trouble.complain(
        "WB114",
        "The name of an event is one word here: small letters, with underscores for the blanks.",
        f"Write `{written}`.",
        instead=(f"NAME {written}",),
        back=1,
        taken=2,
        kept=False,
    )


def bare_text(trouble: Trouble) -> Complaint | None:
    """`country is US`, `about Bring people back`"""
    if trouble.token.type not in {"ODD_WORD", "NAME"} or "STRING" not in trouble.expected:
        return None
    if trouble.line[0].type == "ABOUT" and trouble.index == 1:
        text = " ".join(str(token) for token in trouble.line[1:])
        return trouble.complain("WB109", "A text stands in double quotes.", f'Write `about "{text}"`.')
    if trouble.token.type == "ODD_WORD" and re.fullmatch("[A-Z]{2,3}|[A-Z][a-z]+", trouble.text):
        return trouble.complain(
            "WB109",
            f"{quoted(trouble.text)} is not a name. If it is a text, it stands in double quotes.",
            f'Write `"{trouble.text}"`.',
            instead=(f'STRING "{trouble.text}"',),
        )
    return None


def colon_for_equal(trouble: Trouble) -> Complaint | None:
    """`offer: "x"`, `let minimum is $50`"""
    if trouble.expected - {"DOT"} != {"EQUAL"} or trouble.text not in {":", "is", "to"}:
        return None
    return trouble.complain(
        "WB111",
        f"{quoted(trouble.text)} does not assign a value.",
        f"Write `=`, like `{trouble.before} = …`.",
        instead=("EQUAL",),
    )


def _field(trouble: Trouble, last: int) -> str:
    """The name, with its dots, whose last word is at this place of the line."""
    first = last
    while first >= 2 and trouble.line[first - 1].type == "DOT":
        first -= 2
    return "".join(str(token) for token in trouble.line[first : last + 1]) if first >= 0 else "orders.last_at"


HABITS: tuple[Callable[[Trouble], Complaint | None], ...] = (
    days_ago,
    sql_now,
    one_of,
    again_the_field,
    count_by_sign,
    afternoon,
    spaced_event,
    two_word_event,
    money_and,
    segment_of_field,
    has_not,
    between_dates,
    person_named,
    bare_name,
    again_the_value,
    is_over,
    how_long,
    when_for_if,
    enter_every,
    bare_text,
    colon_for_equal,
)
"""In the order in which they are asked."""
