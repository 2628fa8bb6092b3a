"""What is wrong with texts: their quotation marks, and names that stand in them."""

from __future__ import annotations

import re

from dsl.complaints.trouble import (
    Complaint,
    Trouble,
)
from dsl.grammar import words


def curly_text(trouble: Trouble) -> Complaint | None:
    """Quotation marks of a word processor, or single ones."""
    if trouble.token.type != "CURLY_TEXT":
        return None
    inner = trouble.text[1:-1]
    return trouble.complain(
        "WB108",
        "Here are single quotation marks." if trouble.text[0] in "'`" else "Here are curly quotation marks.",
        f'Use straight double ones: "{inner}".' if len(inner) <= 40 else 'Use straight double ones: "like this".',
        instead=(f'STRING "{inner}"',) if "STRING" in trouble.expected else None,
    )


def text_in_text(trouble: Trouble) -> Complaint | None:
    """`"a "b" c"`"""
    before = trouble.before
    if before is None or before.type != "STRING" or before.end_column != trouble.token.column:
        return None
    if not (trouble.text[0].isalnum() or trouble.text[0] == '"'):
        return None
    return trouble.complain(
        "WB109",
        "The text ends at the quotation mark before this.",
        "A text cannot hold straight double quotes itself. Curly ones may stand in it: “like these”.",
    )


def open_text(trouble: Trouble) -> Complaint | None:
    """A text whose second quotation mark is missing."""
    if trouble.token.type != "OPEN_TEXT":
        return None
    hint = 'Add a `"` at the end of the text.' if trouble.text[0] == '"' else "Put straight double quotes around it."
    inner = trouble.text[1:].rstrip()
    plain = "STRING" in trouble.expected and not inner.endswith(":") and not set(inner) & set('"#')
    instead = (f'STRING "{inner}"',) if plain else None
    return trouble.complain("WB109", "This text is never closed.", hint, instead=instead, sure=False, kept=False)


def quoted_name(trouble: Trouble) -> Complaint | None:
    """`send email "welcome"`"""
    if trouble.token.type != "STRING" or "NAME" not in trouble.expected or trouble.expected & {"STRING", "HAS"}:
        return None
    name = re.sub(r"\W+", "_", trouble.text[1:-1].strip()).lower()
    proper = re.fullmatch(r"[a-z][a-z0-9_]*", name) and name not in words().values()
    return trouble.complain(
        "WB114",
        "A name stands without quotation marks.",
        f"Write `{name}`." if proper else "Names are made of small letters a to z, digits and underscores.",
        instead=(f"NAME {name}",) if proper and name == trouble.text[1:-1] else ("NAME",),
        kept=bool(proper) and name == trouble.text[1:-1],
    )
