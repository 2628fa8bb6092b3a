"""What the word under the pointer means, as Markdown."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from dsl.catalog import SUMS, Template
from dsl.complaints.vocabulary import EXAMPLES, PARTS
from dsl.diagnostics import Span, source_lines
from dsl.format import spaced
from dsl.grammar import words
from dsl.lsp.definition import Thing, thing_at
from dsl.lsp.meanings import MEANINGS
from dsl.lsp.names import Name, lines_of
from dsl.lsp.project import Project
from dsl.lsp.roles import Role
from dsl.wording import KINDS

Reader = Callable[[str], str | None]
"""The text of a file of the project by its path; None when it cannot be read."""

_KINDS = {
    Role.VARIANT: "a variant: its share of the people goes this way",
    Role.TOPIC: "a topic: what a consent is about, named in the front matter of templates",
    Role.NOUN: "a record of the CRM",
    Role.TEAM: "who gets the record in the CRM",
    Role.CONNECTOR: "a service that audiences are kept in sync with",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Hover:
    markdown: str
    span: Span


def hover(project: Project, path: str, line: int, column: int, read: Reader = lambda _: None) -> Hover | None:
    """What the word at a place means; None where there is nothing to say. `read` looks into templates."""
    if found := thing_at(project, path, line, column):
        name, what = found
        return Hover(markdown="\n\n".join(_about(name, what, project, read)), span=name.span)
    return _keyword(project.sources.get(path, ""), path, line, column)


def _keyword(source: str, path: str, line: int, column: int) -> Hover | None:
    for statement in lines_of(source):
        for place, word in enumerate(statement.words):
            assert word.column and word.end_column
            if word.line != line or not word.column <= column < word.end_column or word.type not in MEANINGS:
                continue
            forms = EXAMPLES.get(word.type, ()) if not place else PARTS.get(word.type, ())
            example = "\n".join(forms)
            text = f"**{word}** · {MEANINGS[word.type]}" + (f"\n\n```playbook\n{example}\n```" if example else "")
            span = Span(file=path, line=line, column=word.column, end_line=line, end_column=word.end_column)
            return Hover(markdown=text, span=span) if words().get(word.type) == word else None
    return None


def _about(name: Name, what: Thing, project: Project, read: Reader) -> list[str]:
    """Paragraphs: the first says what it is."""
    match what.role:
        case Role.FIELD:
            return _field(what.text, project)
        case Role.EVENT:
            return _event(what.text, project)
        case Role.PROPERTY:
            return _property(name, what, project)
        case Role.CHANNEL:
            return _channel(what.text, project)
        case Role.TEMPLATE:
            return _template(what, project, read)
        case Role.ARGUMENT:
            return _argument(what, project)
        case Role.TYPE:
            return [f"**{what.text}** · a type: {_kind(what.text)}"]
        case Role.SEGMENT | Role.CONSTANT | Role.AUDIENCE | Role.STAGE:
            return _declared(what, project)
        case Role.PLAYBOOK:
            return _playbook(what, project)
        case Role.EXPERIMENT:
            return [f"**{what.text}** · an experiment", MEANINGS["EXPERIMENT"]]
        case _:
            return [f"**{what.text}** · {_KINDS[what.role]}"]


def _kind(text: str) -> str:
    return next((words for kind, words in KINDS.items() if kind == text), "unknown")


def _field(text: str, project: Project) -> list[str]:
    known = project.catalog.field(text)
    if known is None:
        return [f"**{text}** · no field or constant of this name is known"]
    told = [f"**{text}** · a field: {KINDS[known.type]}", known.about]
    if text in SUMS:
        told.append("Counts as 0 for people of whom nothing is known.")
    return told + _declaration(Thing(role=Role.FIELD, text=text), project)


def _event(text: str, project: Project) -> list[str]:
    known = project.catalog.events.get(text)
    if known is None:
        return [f"**{text}** · no event of this name is known"]
    about = known.about or "An event that this shop has sent."
    properties = f"Properties: {_listed(known.properties)}." if known.properties else "It has no properties."
    return [f"**{text}** · an event", about, properties, *_declaration(Thing(role=Role.EVENT, text=text), project)]


def _property(name: Name, what: Thing, project: Project) -> list[str]:
    kind = project.catalog.property(what.of, what.text)
    if not what.of:
        return [f"**{name.text}** · a property, but no event starts the playbook"]
    if kind is None:
        return [f"**{name.text}** · `{what.of}` has no such property"]
    starts = " that starts the playbook" if name.text != what.text else ""
    return [f"**{name.text}** · a property: {KINDS[kind]}", f"Of the event `{what.of}`{starts}."]


def _channel(text: str, project: Project) -> list[str]:
    known = project.catalog.channels.get(text)
    if known is None:
        return [f"**{text}** · no channel of this name is known"]
    names = sorted(name for channel, name in project.catalog.templates if channel == text)
    templates = f"Templates: {_listed(names)}." if names else "There are no templates for it yet."
    return [f"**{text}** · a channel", f"Goes to the address in `{known.address}`.", templates]


def _template(what: Thing, project: Project, read: Reader) -> list[str]:
    found = [
        template
        for (channel, name), template in sorted(project.catalog.templates.items())
        if name == what.text and (channel == what.of or not what.of)
    ]
    if not found:
        return [f"**{what.text}** · no template of this name is known"]
    return [part for template in found for part in _page(template, read)]


def _page(template: Template, read: Reader) -> list[str]:
    told = [f"**{template.name}** · {template.channel} template, topic `{template.topic}`"]
    front = front_matter(read(template.path) or "")
    told += [f"{key.capitalize()}: {front[key]}" for key in ("subject", "title", "preheader") if front.get(key)]
    if template.variables:
        told.append(f"Needs {_listed(sorted(template.variables))}.")
    if template.optional:
        told.append(f"May be given {_listed(sorted(template.optional))}.")
    told += [f"⚠ {problem}" for problem in template.problems]
    return [*told, f"`{template.path}`"]


def front_matter(text: str) -> dict[str, str]:
    """What a template's head says, by key; empty when it has none."""
    head, *rest = source_lines(text)
    if head.strip() != "---" or "---" not in [row.strip() for row in rest]:
        return {}
    rows = rest[: [row.strip() for row in rest].index("---")]
    pairs = (row.partition(":") for row in rows if ":" in row)
    return {key.strip(): value.strip().strip("\"'") for key, _, value in pairs}


def _argument(what: Thing, project: Project) -> list[str]:
    channel, _, name = what.of.partition(" ")
    template = project.catalog.templates.get((channel, name))
    if template is None:
        return [f"**{what.text}** · an argument"]
    if what.text in template.variables:
        return [f"**{what.text}** · an argument", f"The template `{name}` needs it."]
    if what.text in template.optional:
        return [f"**{what.text}** · an argument", f"The template `{name}` reads it when it is there."]
    return [f"**{what.text}** · the template `{name}` does not read it"]


def _declared(what: Thing, project: Project) -> list[str]:
    if what.text not in project.declared(what.role):
        return [f"**{what.text}** · no {what.role.value} of this name is known"]
    article = "an" if what.role is Role.AUDIENCE else "a"
    return [f"**{what.text}** · {article} {what.role.value}", *_declaration(what, project)]


def _playbook(what: Thing, project: Project) -> list[str]:
    found = project.declared(Role.PLAYBOOK).get(what.text)
    if found is None:
        return _declared(what, project)
    told = [f"**{what.text}** · a playbook"]
    inside = False
    for line in lines_of(project.sources[found.span.file]):
        if line.indent == 0:
            inside = line.words[0].line == found.span.line
        elif inside and line.words[0].type == "ABOUT" and len(line.words) > 1:
            told.append(str(line.words[1]).strip('"'))
    return told


def _declaration(what: Thing, project: Project) -> list[str]:
    """The line that declares it, as code."""
    found = project.declared(what.role).get(what.text)
    return [f"```playbook\n{spaced(project.statement(found)).removesuffix(':')}\n```"] if found else []


def _listed(names: Collection[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
