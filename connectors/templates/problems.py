"""What is wrong with a template before anybody receives it, in sentences with file and line."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping

from jinja2 import TemplateSyntaxError, nodes
from jinja2.visitor import NodeTransformer

from connectors.templates.compiled import markup
from connectors.templates.errors import RenderError
from connectors.templates.personal import personal
from connectors.templates.sandbox import Sandbox
from connectors.templates.slips import slips
from connectors.templates.source import REQUIRED, Body, Place, Source
from connectors.templates.variables import Variables, variables
from dsl.catalog import TRANSACTIONAL, Template

_TOPIC = re.compile(r"[a-z][a-z0-9_]*")
_FORBIDDEN: Mapping[type[nodes.Node], str] = {
    nodes.Include: '`include` does not work here. In MJML write `<mj-include path="parts/footer.mjml" />`.',
    nodes.Extends: "`extends` does not work here. In MJML put the shared parts in with `<mj-include …/>`.",
    nodes.Import: "`import` does not work here. Write the macro into this file.",
    nodes.FromImport: "`from … import` does not work here. Write the macro into this file.",
    nodes.ScopedEvalContextModifier: "`autoescape` does not work here. Write `| safe` after what is HTML already.",
}
_WORDS = (
    (r"'?end of print statement'?", "'}}'"),
    (r"'?end of statement block'?", "'%}'"),
    (r"expected token (.+), got (.+)", r"Here should be \1, and here is \2"),
    (r"Expected an expression, got (.+)", r"Here should be a value, and here is \1"),
    (r"Jinja was looking for the following tags: (.+?)\. The innermost block that needs to be closed is (.+?)\.",
     r"\2 is never closed; \1 was expected."),
    (r"Encountered unknown tag '(.+?)'\.", r"There is no tag '\1' here."),
    (r"You probably made a nesting mistake\. Jinja is expecting this tag, but currently looking for (.+?)\.",
     r"Expected was \1."),
)  # fmt: skip
_JINJA = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_ELEMENT = re.compile(r"<!--.*?-->|<(/?)([a-zA-Z][\w-]*)((?:\"[^\"]*\"|'[^']*'|[^'\">])*)>", re.DOTALL)
_MJML = frozenset([
    "mjml", "mj-accordion", "mj-accordion-element", "mj-accordion-text", "mj-accordion-title", "mj-all",
    "mj-attributes", "mj-body", "mj-breakpoint", "mj-button", "mj-carousel", "mj-carousel-image", "mj-class",
    "mj-column", "mj-divider", "mj-font", "mj-group", "mj-head", "mj-hero", "mj-html-attribute",
    "mj-html-attributes", "mj-image", "mj-include", "mj-navbar", "mj-navbar-link", "mj-preview", "mj-raw",
    "mj-section", "mj-selector", "mj-social", "mj-social-element", "mj-spacer", "mj-style", "mj-table",
    "mj-text", "mj-title", "mj-wrapper",
])  # fmt: skip


def describe(source: Source, plain: Sandbox, rich: Sandbox) -> Template:
    """What the compiler needs to know of the template: the variables, the topic, and all that is wrong with it."""
    problems = list(source.problems)
    trees: list[nodes.Template] = []
    body_read = False
    for setting in source.settings.values():
        single = Body(text=setting.value, places=(setting.place,))
        if (tree := _parsed(single, plain, problems)) is not None:
            trees.append(tree)
    for body, environment in ((source.body, rich if source.channel == "email" else plain), (source.alternative, plain)):
        if body is not None and (tree := _parsed(body, environment, problems)) is not None:
            trees.append(tree)
            body_read = body_read or body is source.body
    read = variables(trees, plain)
    if not source.problems:
        problems += _settings(source)
    if source.kind == "mjml":
        problems += _elements(source.body)
    if source.channel == "email" and body_read and not source.problems:
        problems += _duties(source, read, trees)
    if source.kind == "mjml" and not problems:
        try:
            markup(source, rich)
        except RenderError as error:
            problems.append(str(error))
    return Template(
        channel=source.channel,
        name=source.name,
        path=source.path,
        variables=read.needed,
        optional=read.optional,
        personal=personal(trees),
        topic=source.topic,
        problems=tuple(problems),
    )


def _parsed(body: Body, environment: Sandbox, problems: list[str]) -> nodes.Template | None:
    try:
        tree = environment.parse(body.text)
    except TemplateSyntaxError as error:
        problems.append(f"{body.place(error.lineno)}: {_sentence(error)}")
        return None
    problems += slips(body, _every(tree))
    unknown = False
    for node in _every(tree):
        if told := _FORBIDDEN.get(type(node)):
            problems.append(f"{body.place(node.lineno)}: {told}")
        elif isinstance(node, nodes.For) and node.recursive:
            problems.append(f"{body.place(node.lineno)}: A loop cannot be `recursive`.")
        elif isinstance(node, nodes.Filter | nodes.Test):
            known = environment.filters if isinstance(node, nodes.Filter) else environment.tests
            if node.name not in known:
                unknown = True
                what = "filter" if isinstance(node, nodes.Filter) else "test"
                near = difflib.get_close_matches(node.name, _names(known), n=1)
                hint = (
                    f" Did you mean `{near[0]}`?"
                    if near
                    else f" There are {', '.join(f'`{one}`' for one in _names(known))}."
                )
                problems.append(f"{body.place(node.lineno)}: There is no {what} `{node.name}`.{hint}")
    if unknown:
        tree = _Known(environment).visit(tree)
        tree.set_environment(environment)
    return tree


def _every(tree: nodes.Node) -> Iterator[nodes.Node]:
    """All nodes, in the order of the text."""
    stack = [tree]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(reversed(list(node.iter_child_nodes())))


def _sentence(error: TemplateSyntaxError) -> str:
    """Jinja2's words in those of somebody who writes templates."""
    told = error.message or "This cannot be read."
    for theirs, ours in _WORDS:
        told = re.sub(theirs, ours, told)
    told = told.replace("'", "`")
    return told[0].upper() + told[1:] + ("" if told.endswith(".") else ".")


def _names(known: Mapping[str, object]) -> list[str]:
    return sorted(name for name in known if name.isidentifier() and not name.startswith("_"))


class _Known(NodeTransformer):
    """Leaves out filters that do not exist, so that what they are applied to is still read."""

    def __init__(self, environment: Sandbox) -> None:
        self._environment = environment

    def visit_Filter(self, node: nodes.Filter) -> nodes.Node:  # noqa: N802  as Jinja2 names it
        self.generic_visit(node)
        return node if node.name in self._environment.filters or node.node is None else node.node

    def visit_Test(self, node: nodes.Test) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return node if node.name in self._environment.tests else node.node


def _settings(source: Source) -> Iterator[str]:
    for key in sorted(REQUIRED[source.channel]):
        if key not in source.settings or not source.settings[key].value:
            yield (f"{source.path}:1: The {key} is missing. Write `{key}: …` between two lines `---` at the top.")
    if "topic" in source.settings and not _TOPIC.fullmatch(source.topic):
        place = source.settings["topic"].place
        yield f"{place}: A topic is one word of small letters, digits and underscores, such as `offers`."
    if not source.body.text.strip():
        yield f"{source.path}: There is nothing in this template."


def _duties(source: Source, read: Variables, trees: list[nodes.Template]) -> Iterator[str]:
    """What the law and the big mailbox providers ask of marketing e-mail."""
    if source.topic == TRANSACTIONAL:
        return
    if "unsubscribe_url" not in read.given:
        yield (
            f"{source.path}: This marketing e-mail lacks an unsubscribe link."
            ' Write `<a href="{{ unsubscribe_url }}">Unsubscribe</a>`.'
        )
    addressed = any(
        isinstance(node, nodes.Getattr)
        and isinstance(node.node, nodes.Name)
        and node.node.name == "shop"
        and node.attr == "address"
        for tree in trees
        for node in _every(tree)
    )
    if not addressed:
        yield (f"{source.path}: This marketing e-mail lacks the shop's postal address. Write `{{{{ shop.address }}}}`.")


def _elements(body: Body) -> Iterator[str]:
    """Elements of MJML that do not exist, are not closed, or are closed by another: MJML itself passes over them."""

    def blank(found: re.Match[str]) -> str:
        return "".join(character if character == "\n" else " " for character in found[0])

    text = _JINJA.sub(blank, body.text)
    stack: list[tuple[str, Place]] = []
    for found in _ELEMENT.finditer(text):
        closing, name, rest = found[1], found[2], found[3]
        if name is None or not (name == "mjml" or name.startswith("mj-")):
            continue
        place = body.place(text.count("\n", 0, found.start()) + 1)
        if name not in _MJML:
            if not closing:
                near = difflib.get_close_matches(name, _MJML, n=1)
                yield f"{place}: MJML has no `<{name}>`." + (f" Did you mean `<{near[0]}>`?" if near else "")
        elif not closing:
            if not rest.rstrip().endswith("/"):
                stack.append((name, place))
        elif not any(name == opened for opened, _ in stack):
            yield f"{place}: `</{name}>` closes nothing."
        else:
            while stack and stack[-1][0] != name:
                opened, where = stack.pop()
                yield f"{where}: `<{opened}>` is not closed before `</{name}>`."
            stack.pop()
    for opened, where in stack:
        yield f"{where}: `<{opened}>` is never closed."
    if "<mj-body" not in text and text.strip():
        yield f"{body.place(1)}: MJML needs `<mjml><mj-body>…</mj-body></mjml>`."
