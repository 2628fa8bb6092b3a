"""Makes docs/errors.md out of the compiler's codes and the mistakes in dsl/mistakes: `just errors`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from cli.mistakes import checked, message
from dsl.codes import CODES, NAMES, SENSE, SYNTAX
from dsl.mistakes import mistake

PAGE = Path(__file__).with_suffix(".md")
_HEAD = """\
# What the compiler tells

`winback check` reads all playbooks of a project and tells every mistake in one run: where, what is wrong, what to do,
and a code. Codes are stable: none is ever given another meaning. `winback explain WB203` shows what stands here in the
terminal. Errors keep a playbook from running; warnings (they begin with that word) do not.

This page is made by `just errors`; each message on it comes from the compiler.
"""
_GROUPS = (
    ("How it is written", SYNTAX),
    ("Names and types", NAMES),
    ("Sense", SENSE),
)


def page() -> str:
    """The whole page."""
    contents = [f"\n## {title}\n{_table(codes)}" for title, codes in _GROUPS]
    return _HEAD + "".join(contents) + "\n## One by one\n" + "\n".join(map(_section, sorted(CODES)))


def _table(codes: Mapping[str, str]) -> str:
    rows = "".join(f"| [{code}](#{code.lower()}) | {sentence} |\n" for code, sentence in sorted(codes.items()))
    return "| code | what is wrong |\n| --- | --- |\n" + rows


def _section(code: str) -> str:
    one = mistake(code)
    told = message(one, checked(one.wrong, one.beside))
    return "\n".join(_lines(code, one.sentence, one.more, one.wrong, told, one.right, dict(one.beside))) + "\n"


def _lines(
    code: str, sentence: str, more: str, wrong: str, told: str, right: str, beside: dict[str, str]
) -> Iterator[str]:
    yield f"### {code}"
    yield f"**{sentence}** {more}\n"
    for path, content in beside.items():
        yield f"`{path}`:\n```html\n{content}```\n"
    yield f"```playbook\n{wrong}```"
    yield f"```text\n{told}\n```"
    yield f"Right:\n```playbook\n{right}```"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
