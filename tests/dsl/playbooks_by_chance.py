"""Random playbook files that parse without errors: hypothesis strategies for text, from values up to whole files."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

NAMES = st.sampled_from(["abandoned_cart", "offer", "x", "order_completed", "email", "tier_2", "monday_mail", "items"])
UNITS = st.sampled_from(["minute", "minutes", "hour", "hours", "day", "days", "week", "weeks", "month", "months"])
DURATIONS = st.builds("{} {}".format, st.integers(1, 90), UNITS)
CLOCKS = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.integers(0, 59)) | st.just("9:05")
DATES = st.dates().map(str)
TEXTS = st.text(st.characters(exclude_categories=("C", "Z"), exclude_characters='"'), max_size=12).map('"{}"'.format)
MONEY = st.sampled_from(["$50", "$1,000", "€9.90", "£5", "50 PLN", "250.50 PLN", "$1000"])
PERCENTS = st.builds("{}%".format, st.sampled_from([0, 5, 33.3, 120]))
NUMBERS = st.sampled_from(["0", "3", "2.5", "007"])
FIELDS = st.lists(NAMES, min_size=1, max_size=3).map(".".join) | NAMES.map("event.{}".format)
VALUES = st.one_of(FIELDS, DATES, TEXTS, MONEY, PERCENTS, NUMBERS, DURATIONS, CLOCKS, st.sampled_from(["yes", "no"]))
WEEKDAYS = st.sampled_from(["monday", "thursday", "sunday"])

COMPARISONS = st.one_of(
    st.builds("{} {} {}".format, FIELDS, st.sampled_from([">", ">=", "<", "<="]), VALUES),
    st.builds("{} is {}".format, FIELDS, VALUES),
    st.builds("{} is not {}".format, FIELDS, VALUES),
    st.builds("{} is one of {}".format, FIELDS, st.lists(VALUES, min_size=1, max_size=3).map(", ".join)),
    st.builds("{} is {}".format, FIELDS, st.sampled_from(["known", "unknown"])),
    st.builds("{} is more than {} ago".format, FIELDS, DURATIONS),
    st.builds("{} is in the {} {}".format, FIELDS, st.sampled_from(["last", "next"]), DURATIONS),
    st.builds("{} is {} {}".format, FIELDS, st.sampled_from(["before", "after"]), DATES),
    st.builds("{} {} {}".format, FIELDS, st.sampled_from(["starts with", "contains"]), TEXTS),
    st.builds("{} is in the top {}".format, FIELDS, PERCENTS),
    st.builds("{} has been {} for {}".format, FIELDS, VALUES, DURATIONS),
    st.builds("{} includes {}".format, FIELDS, VALUES),
)
TIMES = st.builds("{} {} times".format, st.sampled_from(["at least", "at most", "exactly"]), st.integers(0, 9))
WINDOWS = st.one_of(
    DURATIONS.map("in the last {}".format),
    st.just("since entry"),
    DURATIONS.map("before {} ago".format),
    st.builds("between {} and {}".format, DATES, DATES),
)


def maybe(part: SearchStrategy[str]) -> SearchStrategy[str]:
    """The part after a space, or nothing."""
    return st.just("") | part.map(" {}".format)


@st.composite
def asked(draw: st.DrawFn) -> str:
    """What is asked about an event: one comparison, or any condition in brackets."""
    return draw(COMPARISONS) if draw(st.booleans()) else f"({draw(conditions(depth=1))})"


ASKED = asked()


def wheres() -> SearchStrategy[str]:
    return ASKED.map("where {}".format)


def tests_of_people(depth: int) -> SearchStrategy[str]:
    """One test: what a condition is made of."""
    return st.one_of(
        COMPARISONS,
        st.builds(
            "has {}{}{}{}".format, NAMES, maybe(TIMES), maybe(WINDOWS), maybe(wheres()) if depth else st.just("")
        ),
        st.builds("has no {}{}".format, NAMES, maybe(WINDOWS)),
        st.builds("can receive {}{}".format, NAMES, maybe(NAMES.map("about {}".format))),
        NAMES.map("in segment {}".format),
        NAMES.map("in audience {}".format),
        st.builds("{} {}{}".format, st.sampled_from(["received", "opened", "clicked"]), NAMES, maybe(WINDOWS)),
        st.builds("last {}{} was {}".format, NAMES, maybe(wheres()), ASKED) if depth else COMPARISONS,
    )


@st.composite
def conditions(draw: st.DrawFn, depth: int = 2) -> str:
    """Tests joined by `and` and `or`, in brackets and not, on one line or on several."""
    parts = []
    for _ in range(draw(st.integers(1, 3))):
        inner = f"({draw(conditions(depth=depth - 1))})" if depth and draw(st.booleans()) else None
        parts.append(draw(st.sampled_from(["", "", "not "])) + (inner or draw(tests_of_people(depth))))
    text = parts[0]
    for part in parts[1:]:
        text += draw(st.sampled_from([" ", " ", "\n      ", "  # why\n   ", "\n# below\n", "\n\n "]))
        text += draw(st.sampled_from(["and ", "or "])) + part
    return text


@st.composite
def blocks(draw: st.DrawFn, header: str, lines: SearchStrategy[list[str]]) -> list[str]:
    return [header + ":", *("  " + line for line in draw(lines))]


def with_arguments(head: str, draw: st.DrawFn) -> list[str]:
    """A line, with a block of arguments or without."""
    arguments = draw(st.lists(st.builds("{} = {}".format, NAMES, VALUES), max_size=2))
    return [head + ":", *("  " + argument for argument in arguments)] if arguments else [head]


WAITS = st.one_of(
    DURATIONS,
    CLOCKS.map("until {}".format),
    st.builds("until {} {}".format, WEEKDAYS, CLOCKS),
    st.builds("{} until {}".format, DURATIONS, CLOCKS),
    FIELDS.map("until {}".format),
    st.builds("until {} {} {}".format, DURATIONS, st.sampled_from(["before", "after"]), FIELDS),
    st.builds("for {}{} up to {}".format, NAMES, maybe(wheres()), DURATIONS),
    st.builds("until {} up to {}".format, conditions(), DURATIONS),
)
CHANGES = st.one_of(
    st.builds("set {} = {}".format, FIELDS, VALUES),
    st.builds("{} audience {}".format, st.sampled_from(["add to", "remove from"]), NAMES),
    NAMES.map("enroll in {}".format),
)


@st.composite
def steps(draw: st.DrawFn, depth: int = 2) -> list[str]:
    """One step, as lines."""
    kinds = ["send", "create", "update", "change", "wait", "wait", "stop"]
    match draw(st.sampled_from(kinds + (["if", "if", "experiment", "experiment"] if depth else []))):
        case "send":
            return with_arguments(f"send {draw(NAMES)} {draw(NAMES)}", draw)
        case "create":
            return with_arguments(f"create {draw(NAMES)} for {draw(NAMES)}", draw)
        case "update":
            return with_arguments(f"update {draw(NAMES)}", draw)
        case "change":
            return [draw(CHANGES)]
        case "wait":
            return [f"wait {draw(WAITS)}"]
        case "if":
            lines = draw(blocks(f"if {draw(conditions())}", step_lists(depth - 1)))
            for _ in range(draw(st.integers(0, 2))):
                lines += draw(blocks(f"otherwise if {draw(conditions(depth=1))}", step_lists(depth - 1)))
            return lines + (draw(blocks("otherwise", step_lists(depth - 1))) if draw(st.booleans()) else [])
        case "experiment":
            inner = [f"measure {draw(NAMES)} within {draw(DURATIONS)}{draw(maybe(wheres()))}"]
            for name in ("a", "b"):
                inner += draw(blocks(f"variant {name} {draw(PERCENTS)}", step_lists(depth - 1)))
            inner += [f"holdout {draw(PERCENTS)}"] if draw(st.booleans()) else []
            return [f"experiment {draw(NAMES)}:", *("  " + line for line in inner)]
    return ["stop"]


def step_lists(depth: int) -> SearchStrategy[list[str]]:
    """One to three steps, as lines."""
    return several(steps(depth), 3)


SETTINGS = st.one_of(
    TEXTS.map("about {}".format),
    DURATIONS.map("run every {}".format),
    st.builds("run every {} at {}".format, WEEKDAYS | st.just("day"), CLOCKS),
    st.builds("{} when {}".format, st.sampled_from(["start", "leave"]), conditions()),
    st.builds("{} on {}{}".format, st.sampled_from(["start", "leave"]), NAMES, maybe(wheres())),
    conditions().map("only if {}".format),
    st.sampled_from(["enter once", "enter every time"]),
    DURATIONS.map("enter again after {}".format),
    FIELDS.map("enter once per {}".format),
    st.builds("goal {} within {}{}".format, NAMES, DURATIONS, maybe(wheres())),
    PERCENTS.map("holdout {}".format),
)
POLICY = st.one_of(
    st.builds("quiet hours {} to {}".format, CLOCKS, CLOCKS),
    st.lists(WEEKDAYS, min_size=1, max_size=3).map(", ".join).map("quiet days {}".format),
    st.builds("limit {} to {} per {}".format, NAMES, st.integers(0, 9), DURATIONS),
)


AUDIENCE = st.one_of(
    TEXTS.map("about {}".format),
    DURATIONS.map("run every {}".format),
    st.builds("run every {} at {}".format, WEEKDAYS | st.just("day"), CLOCKS),
    st.builds("{} when {}".format, st.sampled_from(["include", "exclude"]), conditions()),
    st.builds("{} = {}".format, NAMES, VALUES),
)
STAGE = st.one_of(st.builds("{} when {}".format, NAMES, conditions()), NAMES.map("{} otherwise".format))
OUTCOMES = st.one_of(
    st.sampled_from(["enter", "leave", "goal"]),
    st.builds("send {} {}".format, NAMES, NAMES),
    st.builds("{} {}".format, st.sampled_from(["create", "update"]), NAMES),
    st.builds("{} audience {}".format, st.sampled_from(["add to", "remove from"]), NAMES),
    WAITS.map("wait {}".format),
)


@st.composite
def scenario_lines(draw: st.DrawFn) -> list[str]:
    """One line of a scenario, some with a block."""
    match draw(st.sampled_from(["event", "later", "line", "line"])):
        case "event":
            return with_arguments(f"given {draw(NAMES)} {draw(DURATIONS)} ago", draw)
        case "later":
            return with_arguments(f"after {draw(DURATIONS)} {draw(NAMES)}", draw)
    one = st.one_of(
        st.builds("given clock {} {}".format, DATES, CLOCKS),
        st.builds("given {} = {}".format, FIELDS, VALUES),
        st.builds("given experiment {} picks {}".format, NAMES, NAMES),
        st.builds("after {} set {} = {}".format, DURATIONS, FIELDS, VALUES),
        st.builds("after {} {} {}".format, DURATIONS, st.sampled_from(["opened", "clicked"]), NAMES),
        st.builds(
            "expect {}{}{}".format,
            OUTCOMES,
            maybe(st.integers(1, 9).map("{} times".format)),
            maybe(DURATIONS.map("after {}".format)),
        ),
        st.builds("expect no {}{}".format, OUTCOMES, maybe(DURATIONS.map("before {}".format))),
    )
    return [draw(one)]


def several(lines: SearchStrategy[list[str]], most: int) -> SearchStrategy[list[str]]:
    """One of them or more, one below the other."""
    return st.lists(lines, min_size=1, max_size=most).map(lambda found: [line for part in found for line in part])


@st.composite
def declarations(draw: st.DrawFn) -> list[str]:
    kinds = ["let", "field", "event", "policy", "segment", "lifecycle", "audience", "scenario", "playbook", "playbook"]
    match draw(st.sampled_from(kinds)):
        case "let":
            return [f"let {draw(NAMES)} = {draw(VALUES)}"]
        case "field":
            return [f"field {draw(NAMES)}.{draw(NAMES)} is text"]
        case "event":
            return draw(
                blocks(f"event {draw(NAMES)}", st.lists(NAMES.map("{} is number".format), min_size=1, max_size=2))
            )
        case "policy":
            return draw(blocks("policy", st.lists(POLICY, min_size=1, max_size=3)))
        case "segment":
            return [f"segment {draw(NAMES)} when {draw(conditions())}"]
        case "lifecycle":
            return draw(blocks("lifecycle", st.lists(STAGE, min_size=1, max_size=4)))
        case "audience":
            head = f"audience {draw(NAMES)} on {draw(NAMES)}"
            return draw(blocks(head, st.lists(AUDIENCE, min_size=1, max_size=4)))
        case "scenario":
            head = f"scenario {draw(TEXTS)} for {draw(NAMES)}"
            return draw(blocks(head, several(scenario_lines(), 4)))
    lines = draw(st.lists(SETTINGS, min_size=1, max_size=4)) + draw(step_lists(2))
    return [f"playbook {draw(NAMES)}:", *("  " + line for line in lines)]


@st.composite
def files(draw: st.DrawFn) -> str:
    """A whole file, with comments and empty lines here and there, and blocks indented by 1 to 4."""
    width = draw(st.integers(1, 4))
    out: list[str] = []
    for line in (line for found in draw(st.lists(declarations(), max_size=3)) for line in found):
        depth = (len(line) - len(line.lstrip(" "))) // 2
        noise = draw(st.sampled_from(["", "", "", "", "\n", "# above\n", "\n    # far\n\n", "   \n# left\n"]))
        out.append(noise + " " * (width * depth) + line.lstrip(" "))
        out.append(draw(st.sampled_from(["\n", "\n", "\n", "  # behind\n", "   \n", "#x\n"])))
    return "".join(out)
