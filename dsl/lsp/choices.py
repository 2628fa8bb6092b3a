"""The names that can stand at a place, out of the catalog and of what the files declare."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dsl.catalog import PRODUCT_PARTS, STAGE
from dsl.grammar import words
from dsl.lsp.fitting import compared, gives
from dsl.lsp.names import headers, lines_of
from dsl.lsp.place import Place
from dsl.lsp.project import Project
from dsl.lsp.roles import Meant, Role
from dsl.resolve.declarations import DECLARED
from dsl.types import Type
from dsl.wording import KINDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    text: str
    role: Role
    detail: str = ""
    about: str = ""
    needs: tuple[str, ...] = ()
    """Of a template: the arguments that a send must give it."""


def choices(
    told: Meant, here: Place, project: Project, *, is_event: bool = False, fitting: Type | None = None
) -> Iterator[Choice]:
    """The names for a place. `is_event`: `event.x` may stand there. `fitting`: only of this type; None: of any."""
    reserved = frozenset(words().values())
    for choice in _all(told, here, project, is_event=is_event, fitting=fitting):
        parts = choice.text.removeprefix("event.").split(".")
        if reserved.isdisjoint(parts):  # a shop may send a property called `for`, which nothing can ask about
            yield choice


def _all(told: Meant, here: Place, project: Project, *, is_event: bool, fitting: Type | None) -> Iterator[Choice]:
    match told.role:
        case Role.FIELD:
            yield from _asked(here, project, is_event)
            if here.before[-1].type == "GIVEN":
                yield from _events(project)
        case Role.VALUE:
            yield from _values(here, project, fitting, is_event)
        case Role.PROPERTY:
            yield from _properties(told.of, project, "" if here.begins or told.of else "event.")
            if is_event and here.before and here.before[-1].type != "DOT":
                yield from _starting(here, project, fitting)
        case Role.EVENT:
            yield from _events(project)
        case Role.CHANNEL:
            yield from _channels(here, project)
        case Role.TEMPLATE:
            yield from _templates(told.of, project)
        case Role.ARGUMENT:
            yield from _arguments(told.of, here, project)
        case Role.TOPIC:
            yield from (Choice(text=name, role=Role.TOPIC) for name in sorted(project.catalog.topics()))
        case Role.TYPE:
            yield from (Choice(text=name, role=Role.TYPE, detail=KINDS[Type(name)]) for name in DECLARED)
        case Role.NOUN:
            nouns = sorted(project.catalog.nouns) if here.before[-1].type == "CREATE" else ["contact"]
            yield from (Choice(text=name, role=Role.NOUN, detail="record of the CRM") for name in nouns)
        case Role.CONNECTOR:
            yield from (Choice(text=name, role=Role.CONNECTOR) for name in sorted(project.catalog.outside))
        case Role.SEGMENT | Role.PLAYBOOK | Role.AUDIENCE | Role.EXPERIMENT | Role.VARIANT:
            yield from _declared(told.role, here, project)


def _declared(role: Role, here: Place, project: Project) -> Iterator[Choice]:
    """What the files declare, but for what the line itself is in: nothing contains or starts itself."""
    own = str(here.around[1]) if len(here.around) > 1 and here.around[0].type == role.name else ""
    changes = {word.type for word in here.before} & {"ADD", "REMOVE"}
    for name in project.declared(role):
        if name != own and not (changes and _has_rule(name, project)):
            yield Choice(text=name, role=role, detail=role.value)


def _has_rule(audience: str, project: Project) -> bool:
    """Whether an audience says itself who belongs to it, so that no playbook does."""
    declared = project.declared(Role.AUDIENCE)[audience]
    lines = headers(lines_of(project.sources[declared.span.file]))
    return any(
        line.words[0].type == "INCLUDE" and header and header[0].line == declared.span.line for line, header in lines
    )


def _asked(here: Place, project: Project, is_event: bool) -> Iterator[Choice]:
    """The fields that a line can ask about, or write."""
    kinds = [word.type for word in here.before]
    if kinds[-1] == "PER":  # what tells entries apart is a property of the starting event
        yield from _starting(here, project, Type.TEXT) if is_event else ()
    elif kinds == ["SET"] or kinds[-2:] == ["DURATION", "SET"]:
        own = project.declared(Role.FIELD)
        yield from (choice for choice in _fields(here, project, None, False) if choice.text in own)
    elif kinds[-2:] in (["DURATION", "BEFORE"], ["DURATION", "AFTER"]):
        for kind in (Type.DATE, Type.TIMESTAMP):
            yield from _fields(here, project, kind, is_event)
    else:
        yield from _fields(here, project, None, is_event)


def _fits(kind: Type, fitting: Type | None) -> bool:
    return fitting is None or fitting is Type.ANY or kind in (fitting, Type.ANY)


def _fields(here: Place, project: Project, fitting: Type | None, is_event: bool) -> Iterator[Choice]:
    left = compared(here.before)
    for name, kind in project.catalog.field_names():
        if _fits(kind, fitting) and name != left:
            known = project.catalog.field(name)
            yield Choice(text=name, role=Role.FIELD, detail=KINDS[kind], about=known.about if known else "")
    if is_event:
        yield from _starting(here, project, fitting)


def _values(here: Place, project: Project, fitting: Type | None, is_event: bool) -> Iterator[Choice]:
    if here.before[0].type == "LET":  # a constant is a value and no other name
        return
    if compared(here.before) == STAGE and project.declared(Role.STAGE):
        yield from (Choice(text=name, role=Role.STAGE, detail="stage") for name in project.declared(Role.STAGE))
        return
    for name in project.declared(Role.CONSTANT):
        kind = project.constant_type(name)
        if kind is not None and _fits(kind, fitting):
            yield Choice(text=name, role=Role.CONSTANT, detail=_written(name, project))
    if not gives(here):
        yield from _fields(here, project, fitting, is_event)


def _written(constant: str, project: Project) -> str:
    """The value of a constant as written."""
    words = project.statement(project.declared(Role.CONSTANT)[constant])
    return str(words[3]) if len(words) > 3 else ""


def _starting(here: Place, project: Project, fitting: Type | None) -> Iterator[Choice]:
    """`event.x`: the properties of the event that starts the playbook. Its own `where` cannot ask about them."""
    if not here.start or here.before[0].type == "START":
        return
    yield from _properties(here.start, project, "event.", fitting)


def _properties(event: str, project: Project, head: str, fitting: Type | None = None) -> Iterator[Choice]:
    known = project.catalog.events.get(event)
    for name, kind in (known.properties if known else {}).items():
        parts = [(name, kind)]
        if kind is Type.PRODUCT:
            parts += [(f"{name}.{part}", of) for part, of in PRODUCT_PARTS.items()]
        for text, of in parts:
            if _fits(of, fitting):
                about = f"A property of `{event}`."
                yield Choice(text=head + text, role=Role.PROPERTY, detail=KINDS[of], about=about)


def _events(project: Project) -> Iterator[Choice]:
    for name, known in project.catalog.events.items():
        yield Choice(text=name, role=Role.EVENT, detail="event", about=known.about)


def _channels(here: Place, project: Project) -> Iterator[Choice]:
    """After `send`, only channels that have a template, when all templates are known."""
    with_template = {channel for channel, _ in project.catalog.templates}
    sends = "SEND" in {word.type for word in here.before[-1:]} and project.catalog.templates_given
    for name in project.catalog.channels:
        if name in with_template or not sends:
            yield Choice(text=name, role=Role.CHANNEL, detail="channel")


def _templates(channel: str, project: Project) -> Iterator[Choice]:
    seen = set()
    for (of, name), template in sorted(project.catalog.templates.items()):
        if (of == channel or not channel) and name not in seen:
            seen.add(name)
            needs = tuple(sorted(template.variables))
            about = f"Needs {', '.join(needs)}." if needs else ""
            yield Choice(text=name, role=Role.TEMPLATE, detail=f"{of} template", about=about, needs=needs)


def _arguments(of: str, here: Place, project: Project) -> Iterator[Choice]:
    """The arguments that a template reads, without those that the send gives already."""
    channel, _, name = of.partition(" ")
    template = project.catalog.templates.get((channel, name))
    if template is None:
        return
    given = set(map(str, here.siblings))
    for variable in sorted(template.variables | template.optional):
        if variable not in given:
            needed = "needed" if variable in template.variables else "may be left out"
            yield Choice(text=variable, role=Role.ARGUMENT, detail=needed, about=f"Read by the template `{name}`.")
