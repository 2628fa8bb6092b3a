"""What the messages know about words: what each kind is called, what people write instead, and how a line looks."""

from __future__ import annotations

from typing import Final

KINDS: Final = {
    "NAME": "a name",
    "STRING": 'text in "quotes"',
    "MONEY": "an amount like `$50`",
    "PERCENT": "a percentage like `10%`",
    "NUMBER": "a number",
    "DURATION": "a duration like `2 days`",
    "CLOCK_TIME": "a time like `09:00`",
    "DATE": "a date like `2026-12-24`",
    "WEEKDAY": "a weekday",
    "OPERATOR": "`>`, `>=`, `<` or `<=`",
    "COLON": "a colon",
    "_NL": "the end of the line",
}
"""How tokens that are not fixed words are called in a message, in the order in which they are told."""

UNITS: Final = ("minutes", "hours", "days", "weeks", "months")
SHORT_UNITS: Final = {
    **dict.fromkeys(("m", "min", "mins"), "minutes"),
    **dict.fromkeys(("h", "hr", "hrs"), "hours"),
    **dict.fromkeys(("d", "days"), "days"),
    **dict.fromkeys(("w", "wk", "wks"), "weeks"),
    "mo": "months",
    "hours": "hours",
}
COUNTS: Final = {
    "once": 1, "twice": 2, "zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7,
    "eight": 8, "nine": 9, "ten": 10, "twelve": 12, "fourteen": 14, "twenty": 20, "thirty": 30, "sixty": 60,
    "ninety": 90, "a": 1, "an": 1,
}  # fmt: skip
UNITS_ELSEWHERE: Final = {
    **dict.fromkeys(("fortnight", "fortnights"), "14 days"),
    **dict.fromkeys(("year", "years"), "12 months"),
    **dict.fromkeys(("quarter", "quarters"), "3 months"),
    **dict.fromkeys(("second", "seconds", "sec", "secs"), "1 minute"),
    **dict.fromkeys(("weekday", "weekdays", "workday", "workdays"), "1 day"),
    **dict.fromkeys(("night", "nights"), "1 day"),
    **dict.fromkeys(("weekend", "weekends"), "7 days"),
}
"""Units of time that the language does not have, and what comes near."""
SIGNS: Final = {
    **dict.fromkeys(("dollar", "dollars"), "$"),
    **dict.fromkeys(("euro", "euros"), "€"),
    **dict.fromkeys(("pound", "pounds"), "£"),
    "¥": "JPY",
    "₹": "INR",
    "₺": "TRY",
    "₩": "KRW",
    "₴": "UAH",
    "₪": "ILS",
}
"""The sign or code that is meant by a word or a sign."""
CURRENCIES: Final = frozenset(
    {"AUD", "CAD", "CHF", "CZK", "DKK", "EUR", "GBP", "HUF", "JPY", "NOK", "PLN", "RON", "SEK", "USD"}
)

GROUPS: Final = (
    (
        {"HAS", "CAN", "LPAR"},
        {"HAS", "CAN", "LPAR", "IN", "NOT", "NAME", "EVENT", "LAST", "RECEIVED", "OPENED", "CLICKED"},
        "a condition like `cart.total > $50` or `has order_completed`",
    ),
    (
        {"STRING", "MONEY", "YES"},
        {
            "STRING", "MONEY", "PERCENT", "NUMBER", "DURATION", "CLOCK_TIME", "DATE", "YES", "NO", "NAME", "EVENT",
        },
        "a value like `$50`, `10%`, `\"Oslo\"` or `cart.total`",
    ),
    (
        {"KNOWN", "UNKNOWN", "MORE"},
        {"KNOWN", "UNKNOWN", "MORE", "NOT", "ONE", "IN", "BEFORE", "AFTER"},
        "`known`, `unknown`, `not`, `one of`, `more than`, `in the last`, `before` or `after`",
    ),
    (
        {"OPERATOR", "IS", "STARTS"},
        {"OPERATOR", "IS", "STARTS", "CONTAINS", "HAS", "INCLUDES"},
        "a comparison like `> $50` or `is known`",
    ),
    ({"AT", "EXACTLY", "SINCE"}, {"AT", "EXACTLY"}, "a count like `at least 3 times`"),
    ({"SINCE", "BETWEEN"}, {"IN", "SINCE", "BEFORE", "BETWEEN"}, "a time like `in the last 7 days`"),
)  # fmt: skip
"""(marks, members, phrase): when all marks are expected, the phrase stands for the members."""

FOREIGN: Final[dict[str, tuple[tuple[str, ...], ...]]] = {
    "else": (("OTHERWISE",),),
    "elif": (("OTHERWISE", "IF"),),
    "elsif": (("OTHERWISE", "IF"),),
    "elseif": (("OTHERWISE", "IF"),),
    "unless": (("IF", "NOT"), ("ONLY", "IF", "NOT")),
    "=": (("IS",),),
    "==": (("IS",),),
    "===": (("IS",),),
    "equals": (("IS",),),
    "equal": (("IS",),),
    "eq": (("IS",),),
    "are": (("IS",),),
    "was": (("IS",),),
    "!=": (("IS", "NOT"),),
    "!==": (("IS", "NOT"),),
    "<>": (("IS", "NOT"),),
    "isnt": (("IS", "NOT"),),
    "=>": (("OPERATOR >=",),),
    "=<": (("OPERATOR <=",),),
    "greater": (("OPERATOR >",),),
    "above": (("OPERATOR >",),),
    "over": (("OPERATOR >",),),
    "exceeds": (("OPERATOR >",),),
    "less": (("OPERATOR <",),),
    "below": (("OPERATOR <",),),
    "under": (("OPERATOR <",),),
    ":=": (("EQUAL",),),
    "&&": (("AND",),),
    "&": (("AND",),),
    "||": (("OR",),),
    "|": (("OR",),),
    "!": (("NOT",),),
    "true": (("YES",),),
    "false": (("NO",),),
    "null": (("UNKNOWN",),),
    "none": (("UNKNOWN",),),
    "upto": (("UP", "TO"),),
    "delay": (("WAIT",),),
    "pause": (("WAIT",),),
    "sleep": (("WAIT",),),
    "exit": (("LEAVE",), ("STOP",)),
    "quit": (("STOP",),),
    "return": (("STOP",),),
    "break": (("STOP",),),
    "mail": (("SEND",),),
    "message": (("SEND",),),
    "trigger": (("START",),),
    "begin": (("START",),),
    "filter": (("ONLY", "IF"),),
    "re_enter": (("ENTER", "AGAIN"),),
    "description": (("ABOUT",),),
    "describe": (("ABOUT",),),
    "schedule": (("RUN",),),
    "split": (("EXPERIMENT",),),
    "ab_test": (("EXPERIMENT",),),
    "arm": (("VARIANT",),),
    "control": (("HOLDOUT",),),
    "var": (("LET",),),
    "const": (("LET",),),
    "define": (("LET",),),
    "flow": (("PLAYBOOK",),),
    "canvas": (("PLAYBOOK",),),
    "series": (("PLAYBOOK",),),
    "drip": (("PLAYBOOK",),),
    "program": (("PLAYBOOK",),),
    "list": (("SEGMENT",),),
    "property": (("FIELD",),),
    "title": (("ABOUT",),),
    "send_email": (("SEND", "NAME email"),),
    "send_sms": (("SEND", "NAME sms"),),
    "send_push": (("SEND", "NAME push"),),
    "send_mail": (("SEND", "NAME email"),),
    "switch_to": (("IF",),),
    "when_else": (("OTHERWISE", "IF"),),
    "when": (("IF",), ("START", "WHEN")),
    "campaign": (("PLAYBOOK",),),
    "journey": (("PLAYBOOK",),),
    "workflow": (("PLAYBOOK",),),
    "automation": (("PLAYBOOK",),),
    "trait": (("FIELD",),),
    "attribute": (("FIELD",),),
    "minimum": (("AT", "LEAST"),),
    "maximum": (("AT", "MOST"),),
    "past": (("LAST",),),
    "previous": (("LAST",),),
    "coming": (("NEXT",),),
    "older": (("MORE",),),
    "includes": (("CONTAINS",),),
    "exists": (("IS", "KNOWN"),),
    "-": (("TO",),),
    "–": (("TO",),),
    "—": (("TO",),),
    "startswith": (("STARTS", "WITH"),),
    "starts_with": (("STARTS", "WITH"),),
    "begins": (("STARTS",),),
}
"""What people write: for each, the words of this language that may be meant. Tried in order; the first that fits."""

ELSEWHERE: Final[dict[tuple[str, str], tuple[str, ...]]] = {
    **dict.fromkeys((("time", "delay"), ("delay", "step"), ("wait", "step"), ("time", "delays")), ("WAIT",)),
    **dict.fromkeys((("conditional", "split"), ("trigger", "split"), ("decision", "split")), ("IF",)),
    **dict.fromkeys((("conditional", "branch"), ("yes_no", "split"), ("true_false", "branch")), ("IF",)),
    **dict.fromkeys((("multi_split", "branch"), ("audience", "paths"), ("decision", "point")), ("IF",)),
    **dict.fromkeys((("flow", "filter"), ("trigger", "filter"), ("entry", "filter")), ("ONLY", "IF")),
    **dict.fromkeys((("profile", "filter"), ("audience", "filter")), ("ONLY", "IF")),
    **dict.fromkeys((("entry", "criteria"), ("entry", "rule"), ("entry", "trigger")), ("START",)),
    **dict.fromkeys((("flow", "trigger"), ("campaign", "trigger"), ("enrollment", "trigger")), ("START",)),
    **dict.fromkeys((("exit", "criteria"), ("exit", "condition"), ("exit", "rule")), ("LEAVE",)),
    **dict.fromkeys((("random", "split"), ("ab", "test"), ("split", "test"), ("experiment", "path")), ("EXPERIMENT",)),
    **dict.fromkeys((("control", "group"), ("global", "control")), ("HOLDOUT",)),
    **dict.fromkeys((("conversion", "goal"), ("conversion", "event"), ("goal", "event")), ("GOAL",)),
    **dict.fromkeys((("send", "message"), ("message", "step"), ("email", "step")), ("SEND",)),
    **dict.fromkeys((("re", "entry"), ("re", "enter"), ("allow", "reentry")), ("ENTER", "AGAIN")),
}
"""What Klaviyo, Braze, Customer.io, HubSpot, Mautic and Salesforce call parts of a journey in two words."""

HEADLESS: Final = {
    "WHEN": "START",
    "ON": "START",
    "ONCE": "ENTER",
    "AGAIN": "ENTER",
    "UNTIL": "WAIT",
    "DURATION": "WAIT",
    "EVERY": "RUN",
    "HOURS": "QUIET",
    "DAYS": "QUIET",
}
"""Words that come second in a line, and the first one that was left out."""

PROGRAMS: Final = {
    **dict.fromkeys(("select", "where", "join", "having", "group_by", "order_by", "insert", "delete"), "a query"),
    **dict.fromkeys(("def", "function", "func", "class", "import", "print", "return", "async", "await"), "a program"),
    **dict.fromkeys(("switch", "case", "match", "try", "except", "with", "lambda"), "a program"),
}
"""First words of lines of SQL and of programming languages."""

PEOPLE: Final = frozenset(
    {
        "customer", "customers", "contact", "contacts", "person", "people", "profile", "user", "users", "subscriber",
        "subscribers", "visitor", "visitors", "lead", "leads", "they", "he", "she", "someone", "somebody", "anyone",
        "recipient", "member", "client", "shopper", "buyer",
    }
)  # fmt: skip
"""How people call the one that a playbook is about, and who is never named in it."""

EVENTS_ELSEWHERE: Final = {
    **dict.fromkeys(("placed_order", "order_placed", "ordered", "purchase", "purchased", "bought"), "order_completed"),
    **dict.fromkeys(("checkout_completed", "order_created", "orders_create"), "order_completed"),
    **dict.fromkeys(("started_checkout", "begin_checkout", "checkout_create"), "checkout_started"),
    **dict.fromkeys(("viewed_product", "view_item", "view_content", "product_view"), "product_viewed"),
    **dict.fromkeys(("added_to_cart", "add_to_cart", "cart_add"), "product_added"),
    **dict.fromkeys(("removed_from_cart", "remove_from_cart"), "product_removed"),
    **dict.fromkeys(("cancelled_order", "canceled_order", "order_canceled"), "order_cancelled"),
    **dict.fromkeys(("refunded_order", "refund"), "order_refunded"),
    **dict.fromkeys(("searched_site", "search", "searched"), "products_searched"),
}
"""What Klaviyo, Shopify, Google Analytics and Facebook call the events that every store has."""

TIMES_ELSEWHERE: Final = {
    "tomorrow": "wait 1 day until 09:00",
    "noon": "wait until 12:00",
    "midnight": "wait until 00:00",
    "morning": "wait until 09:00",
    **dict.fromkeys(("tonight", "evening"), "wait until 20:00"),
}
"""What people wait for, and how it is written."""

CHANNELS_ELSEWHERE: Final = {
    **dict.fromkeys(("e_mail", "mail", "newsletter", "message"), "email"),
    **dict.fromkeys(("text", "txt", "text_message", "mms"), "sms"),
    **dict.fromkeys(("notification", "push_notification", "app_push"), "push"),
}
"""What else channels are called."""

COMPARATIVES: Final = {
    **dict.fromkeys(("greater", "bigger", "higher", "larger"), "Write the sign `>` in place of all three words."),
    **dict.fromkeys(("less", "fewer", "smaller", "lower"), "Write the sign `<` in place of all three words."),
    **dict.fromkeys(("older", "earlier"), "Write it like `is more than 3 days ago`."),
    **dict.fromkeys(("newer", "younger", "later"), "Write it like `is in the last 3 days`."),
    "equal": "Write only `is`.",
}
"""What to write for `is greater than` and the like."""

FILLERS: Final = frozenset({"a", "an", "the", "please", "do", "to", "from", "only", "just"})
"""Words that may simply be too much."""

CLOSERS: Final = frozenset({"end", "endif", "done", "fi", "pass", "}", "{"})
LOOPS: Final = frozenset({"while", "loop", "repeat", "foreach", "goto"})

EXAMPLES: Final[dict[str, tuple[str, ...]]] = {
    "LET": ("let free_shipping_minimum = $50",),
    "FIELD": ("field loyalty.tier is text",),
    "EVENT": ("event appointment_booked:",),
    "POLICY": ("policy:",),
    "SEGMENT": ("segment loyal when orders.count >= 4",),
    "PLAYBOOK": ("playbook abandoned_cart:",),
    "QUIET": ("quiet hours 21:00 to 08:00", "quiet days saturday, sunday"),
    "LIMIT": ("limit email to 3 per 7 days",),
    "ABOUT": ('about "Bring back a cart left alone."',),
    "RUN": ("run every 15 minutes", "run every day at 09:00", "run every monday at 09:00"),
    "START": ("start when cart.total > $50", "start on order_completed"),
    "ONLY": ("only if can receive email",),
    "ENTER": ("enter once", "enter again after 14 days", "enter every time", "enter once per event.order_id"),
    "LEAVE": ("leave on order_completed", "leave when cart.total < $10"),
    "GOAL": ("goal order_completed within 7 days",),
    "HOLDOUT": ("holdout 5%",),
    "SEND": ("send email welcome",),
    "WAIT": (
        "wait 2 days",
        "wait until 09:00",
        "wait until thursday 10:00",
        "wait 1 day until 09:00",
        "wait until 3 days before event.starts_at",
        "wait for order_completed up to 5 days",
        "wait until cart.total > $50 up to 3 days",
    ),
    "IF": ("if cart.total > $50:",),
    "OTHERWISE": ("otherwise:", "otherwise if cart.total > $50:"),
    "EXPERIMENT": ("experiment welcome_offer:",),
    "MEASURE": ("measure order_completed within 14 days",),
    "VARIANT": ("variant free_shipping 50%:",),
    "STOP": ("stop",),
    "LIFECYCLE": ("lifecycle:",),
    "AUDIENCE": ("audience recent_buyers on facebook:",),
    "INCLUDE": ("include when has order_completed in the last 90 days",),
    "EXCLUDE": ("exclude when in audience recent_buyers",),
    "SCENARIO": ('scenario "buying stops the series" for abandoned_cart:',),
    "GIVEN": (
        "given cart.total = $300",
        "given product_added 24 hours ago",
        "given clock 2026-03-07 12:00",
        "given experiment welcome_offer picks ten_percent",
    ),
    "AFTER": ("after 12 hours order_completed", 'after 2 days set tier = "gold"', "after 3 days opened reminder"),
    "EXPECT": ("expect send email welcome", "expect no create task", "expect enter 2 times", "expect goal after 1 day"),
    "CREATE": ("create task for sales",),
    "UPDATE": ("update contact:",),
    "SET": ("set referral.invited = yes",),
    "ADD": ("add to audience lapsed",),
    "REMOVE": ("remove from audience lapsed",),
    "ENROLL": ("enroll in welcome",),
}
"""How a line looks, by its first word."""

PARTS: Final[dict[str, tuple[str, ...]]] = {
    "HAS": (
        "has order_completed",
        "has product_viewed at least 3 times in the last 7 days",
        "has no order_completed since entry",
    ),
    "CAN": ("can receive email", "can receive email about offers"),
    "IS": ("stage is hero", "phone is known", "created_at is more than 3 days ago", "city is one of a, b"),
    "WHERE": ("where total > $10", "where (total > $10 or coupon is known)"),
    "STARTS": ('city starts with "New"',),
    "CONTAINS": ('city contains "York"',),
    "INCLUDES": ('tags includes "vip"',),
    "LAST": ("last order_completed was total > $100",),
    "RECEIVED": ("received welcome in the last 30 days",),
}
"""How a part of a line looks, by the word that begins it."""

PLACES: Final[dict[str, str]] = {
    **dict.fromkeys(("LET", "FIELD", "POLICY", "SEGMENT", "LIFECYCLE", "AUDIENCE", "PLAYBOOK", "SCENARIO"), "file"),
    **dict.fromkeys(("ABOUT", "RUN", "START", "ONLY", "ENTER", "LEAVE", "GOAL"), "playbook"),
    **dict.fromkeys(("SEND", "CREATE", "UPDATE", "SET", "ADD", "REMOVE", "ENROLL", "WAIT", "IF", "STOP"), "step"),
    "EXPERIMENT": "step",
    **dict.fromkeys(("INCLUDE", "EXCLUDE"), "audience"),
    **dict.fromkeys(("GIVEN", "AFTER", "EXPECT"), "scenario"),
    **dict.fromkeys(("MEASURE", "VARIANT"), "experiment"),
    **dict.fromkeys(("QUIET", "LIMIT"), "policy"),
    "HOLDOUT": "playbook or experiment",
    "EVENT": "file",
}
"""Where a line that begins with the word belongs."""

NAMES: Final = {
    "SEND": "a channel like `email`",
    "RECEIVE": "a channel like `email`",
    "LIMIT": "a channel like `email`",
    "HAS": "the name of an event, like `order_completed`",
    "NO": "the name of an event, like `order_completed`",
    "ON": "the name of an event, like `order_completed`",
    "GOAL": "the name of an event, like `order_completed`",
    "MEASURE": "the name of an event, like `order_completed`",
    "SEGMENT": "the name of a segment",
    "ABOUT": "the name of a topic",
}
"""What a name is the name of, by the word before it."""

BELONGS: Final = {
    "file": "stands at the left edge, outside of every block",
    "playbook": "stands directly below `playbook …:`, not deeper and not elsewhere",
    "step": "is a step, and steps stand inside a playbook",
    "experiment": "stands directly below `experiment …:`",
    "policy": "stands directly below `policy:`",
    "audience": "stands directly below `audience …:`",
    "scenario": "stands directly below `scenario …:`",
    "playbook or experiment": "stands directly below `playbook …:` or `experiment …:`",
}
