"""For each code a mistake as people make it, and how it is right.

A file `WB203.playbook` holds, in this order: in comments what is wrong, in a sentence or two more than the table of
codes has; below `--- wrong` a playbook file in which exactly this is told (`--- wrong, with WB125`: and that beside
it); below `--- right` one in which nothing is.
Below lines like `--- templates/email/news.html` stand further files that both need. A line that ends with
`# … 501 times` stands for so many of it. All of it is compiled as a file of the project in `shop`, of `SEEN` events.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable

from dsl.codes import CODES
from dsl.types import Type

_PART = re.compile(r"^--- ([^\s,]+)(?:, with (WB\d{3}))?\n", re.MULTILINE)
_TIMES = re.compile(r"^(.*\S)  # … (\d+) times\n", re.MULTILINE)

SEEN: Mapping[str, Mapping[str, Type]] = {"quiz_taken": {"score": Type.ANY}}
"""Events that the shop's store has seen and nobody declared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    code: str
    sentence: str
    """What is wrong, in one sentence: that of the table of codes."""
    more: str
    """One or two sentences more."""
    wrong: str
    right: str
    """Both as written, with `# … 501 times` where many lines are meant: see `whole`."""
    along: str | None
    """Another code that cannot but be told with this one."""
    beside: Mapping[str, str]
    """Further files of the project, by path."""


def mistake(code: str) -> Mistake:
    """The mistake of a code. Raises KeyError for a code that is not in the table or has no file."""
    sentence = CODES[code]
    try:
        text = files("dsl.mistakes").joinpath(f"{code}.playbook").read_bytes().decode()
    except FileNotFoundError:
        raise KeyError(code) from None
    more, *parts = _PART.split(text)
    named = dict(zip(parts[::3], parts[2::3], strict=True))
    return Mistake(
        code=code,
        sentence=sentence,
        more=" ".join(line.removeprefix("#").strip() for line in more.splitlines()),
        wrong=named.pop("wrong"),
        right=named.pop("right"),
        along=parts[1],
        beside=named,
    )


def whole(text: str) -> str:
    """The text with each line that stands for many written out."""
    return _TIMES.sub(lambda found: (found[1] + "\n") * int(found[2]), text)


def shop() -> dict[str, str]:
    """The files of the project that the mistakes are made in, by path."""
    return dict(_below(files("dsl.mistakes").joinpath("shop"), ""))


def _below(folder: Traversable, prefix: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for item in sorted(folder.iterdir(), key=lambda item: item.name):
        path = prefix + item.name
        found += _below(item, f"{path}/") if item.is_dir() else [(path, item.read_text(encoding="utf-8"))]
    return found
