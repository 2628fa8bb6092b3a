"""Where things are declared, who speaks of them, and other names for them: across files."""

from __future__ import annotations

import pytest

from dsl.compile import compile_sources
from dsl.diagnostics import Span, source_lines
from dsl.lsp.definition import definition, references
from dsl.lsp.project import Project
from dsl.lsp.rename import Refused, Renamed, rename, renameable
from tests.dsl.lsp.marked import project
from tests.dsl.shop import shop

NAMES = """\
let minimum = $50
field tier is text
event visited:
  place is text
segment loyal when orders.count >= 4 and tier is "gold"
segment rich when in segment loyal and cart.total > minimum
"""
USES = """\
# loyal minimum
playbook p:
  start on visited where place is "loyal"
  enter once
  if in segment loyal and cart.total > minimum:
    send email hello
  if event.place is "x" and tier is known:
    enroll in q

playbook q:
  start when cart.total > $5 and cart.updated_at is in the last 3 days
  enter once
  stop
"""
SOURCES = {"names.playbook": NAMES, "uses.playbook": USES}


def where(path: str, text: str, nth: int = 0) -> tuple[str, int, int]:
    """The path, the line and the column of a text's nth place in a file, one letter in."""
    at = -1
    for _ in range(nth + 1):
        at = SOURCES[path].index(text, at + 1)
    before = SOURCES[path][:at].split("\n")
    return path, len(before), len(before[-1]) + 2


def cut(span: Span) -> str:
    return source_lines(SOURCES[span.file])[span.line - 1][span.column - 1 : span.end_column - 1]


@pytest.fixture(scope="module")
def here() -> Project:
    return project(SOURCES)


@pytest.mark.parametrize(
    ("text", "nth", "line"),
    [("loyal", 2, 5), ("minimum", 1, 1), ("visited", 0, 3), ("place is", 0, 4), ("event.place", 0, 4), ("tier", 0, 2)],
)
def test_declarations_in_another_file(here: Project, text: str, nth: int, line: int) -> None:
    span = definition(here, *where("uses.playbook", text, nth))
    assert span is not None
    assert (span.file, span.line) == ("names.playbook", line)


def test_templates_lead_to_their_files(here: Project) -> None:
    span = definition(here, *where("uses.playbook", "hello"))
    assert span == Span(file="templates/email/hello.html", line=1, column=1, end_line=1, end_column=1)


def test_what_every_store_has_is_declared_nowhere(here: Project) -> None:
    assert definition(here, *where("uses.playbook", "cart.total")) is None
    assert definition(here, "uses.playbook", 1, 1) is None


def test_references_leave_out_comments_and_texts(here: Project) -> None:
    spans = references(here, *where("names.playbook", "loyal"))
    assert [(span.file, span.line, cut(span)) for span in spans] == [
        ("names.playbook", 5, "loyal"),
        ("names.playbook", 6, "loyal"),
        ("uses.playbook", 5, "loyal"),
    ]
    assert len(references(here, *where("names.playbook", "loyal"), declaration=False)) == 2
    assert len(references(here, *where("uses.playbook", "cart.total"))) == 3


@pytest.mark.parametrize(
    ("path", "text", "new", "count"),
    [
        ("names.playbook", "loyal", "faithful", 3),
        ("uses.playbook", "minimum", "lowest", 3),
        ("uses.playbook", "q:", "follow_up", 2),
        ("uses.playbook", "tier", "loyalty.tier", 3),
        ("names.playbook", "visited", "came_by", 2),
    ],
)
def test_renamed_in_all_files_it_compiles_as_before(here: Project, path: str, text: str, new: str, count: int) -> None:
    nth = 1 if text == "minimum" and path == "uses.playbook" else 0
    found = rename(here, *where(path, text, nth), new)
    assert isinstance(found, Renamed)
    assert len(found.spans) == count
    texts = {path: source.split("\n") for path, source in SOURCES.items()}
    for span in sorted(found.spans, key=lambda span: -span.column):
        rows = texts[span.file]
        row = rows[span.line - 1]
        rows[span.line - 1] = row[: span.column - 1] + new + row[span.end_column - 1 :]
    before = compile_sources(SOURCES, shop()).problems
    after = compile_sources({path: "\n".join(rows) for path, rows in texts.items()}, shop()).problems
    assert [problem.code for problem in after] == [problem.code for problem in before]


@pytest.mark.parametrize(
    ("text", "new", "reason"),
    [
        ("loyal", "send", "a word of the language"),
        ("loyal", "rich", "already a segment"),
        ("loyal", "Loyal", "small letters"),
        ("loyal", "a b", "small letters"),
        ("loyal", "", "small letters"),
        ("loyal", "a.b", "small letters"),
        ("loyal", "a\nb", "small letters"),
        ("minimum", "city", "every store has"),
        ("minimum", "tier", "already a field"),
        ("tier", "cart.total", "every store has"),
        ("tier", "a.", "ends with a dot"),
        ("visited", "order_completed", "already an event"),
    ],
)
def test_names_that_cannot_be_are_refused_with_the_reason(here: Project, text: str, new: str, reason: str) -> None:
    found = rename(here, *where("names.playbook", text), new)
    assert isinstance(found, Refused)
    assert reason in found.reason


@pytest.mark.parametrize(
    ("text", "reason"),
    [("hello", "its file"), ("cart.total", "not declared"), ("email", "come with winback"), ("place", "as the shop")],
)
def test_what_cannot_be_renamed_is_refused(here: Project, text: str, reason: str) -> None:
    found = renameable(here, *where("uses.playbook", text))
    assert isinstance(found, Refused)
    assert reason in found.reason
    assert isinstance(renameable(here, "uses.playbook", 1, 1), Refused)


def test_a_playbook_with_another_name_is_another_one_to_the_store(here: Project) -> None:
    found = rename(here, *where("uses.playbook", "q:"), "follow_up")
    assert isinstance(found, Renamed)
    assert "do not move over" in found.note


def test_stages_and_audiences_have_their_names_everywhere() -> None:
    text = """\
lifecycle:
  hero when orders.count > 3
  other otherwise

audience big on facebook:
  include when stage is hero

segment wide when in audience big and stage is one of other, hero
"""
    stages = project({"a": text})
    found = rename(stages, "a", 2, 4, "champion")
    assert isinstance(found, Renamed)
    assert [(span.line, span.column) for span in found.spans] == [(2, 3), (6, 25), (8, 62)]
    found = rename(stages, "a", 8, 31, "large")
    assert isinstance(found, Renamed)
    assert [(span.line, span.column) for span in found.spans] == [(5, 10), (8, 31)]
    assert isinstance(rename(stages, "a", 2, 4, "other"), Refused)
