"""A template made ready: each part a compiled function, and one rendering with its limits and its errors."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jinja2
from jinja2 import TemplateSyntaxError, UndefinedError
from jinja2.exceptions import SecurityError

from connectors.templates.errors import Refused, RenderError
from connectors.templates.filters import BUDGET
from connectors.templates.limits import Budget, Limits
from connectors.templates.markup import MarkupError, from_html, from_mjml, with_preheader
from connectors.templates.plaintext import plain_text
from connectors.templates.sandbox import Measured, Sandbox
from connectors.templates.source import Body, Place, Setting, Source
from connectors.templates.tags import WORD, Tag, between_elements, hide, restore


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One compiled text: a subject, an HTML body, …"""

    code: jinja2.Template
    places: tuple[Place, ...]
    """Of each line of what was compiled."""

    def render(self, values: Mapping[str, Any], budget: Budget, limits: Limits) -> str:
        """The text. Raises RenderError."""
        try:
            text = self.code.render({**values, BUDGET: budget})
        except ImportError:
            raise  # the installation is broken, and not this message: nobody may lose theirs by it
        except Exception as error:
            failed = self._told(error)
        else:
            if len(text) <= limits.characters:
                return text
            failed = self._error("template_too_large", f"The message has more than {limits.characters:,} characters.")
        # Raised outside `except`, so that no value of the person travels along as the error's context.
        raise failed

    def _told(self, error: Exception) -> RenderError:
        line = max(
            (
                at
                for frame, at in traceback.walk_tb(error.__traceback__)
                if frame.f_code.co_filename == self.code.filename
            ),
            default=1,
        )
        match error:
            case Refused():
                return self._error(error.reason, error.told, line, error.way_out)
            case UndefinedError():
                told = str(error.message).replace("'", "`")
                told = told.replace("`dict object`", "this").replace("`immutabledict object`", "this")
                return self._error(
                    "value_missing", f"{told}.", line, "Ask with `{% if … is defined %}`, or write `| default('…')`."
                )
            case SecurityError():
                return self._error("template_forbidden", "A template may not do this.", line)
            case RecursionError():
                return self._error("template_too_long", "The template calls itself without end.", line)
        # Only the kind: the words of other errors may quote a value of the person.
        return self._error("template_error", f"This cannot be worked out ({type(error).__name__}).", line)

    def _error(self, reason: str, told: str, line: int = 1, way_out: str = "") -> RenderError:
        place = self.places[min(line, len(self.places)) - 1]
        return RenderError(reason, told, template=place.file, line=place.line, way_out=way_out)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """All parts of one template, by name: the front matter's keys, `html`, `text`."""

    source: Source
    parts: Mapping[str, Part]


def compiled(source: Source, plain: Sandbox, rich: Sandbox) -> Compiled:
    """The template ready to render. Raises RenderError when it cannot be compiled."""
    if source.problems:
        raise RenderError(
            "template_broken", "This template is broken.", template=source.path, way_out=source.problems[0]
        )
    parts = {
        key: _part(setting.value, (setting.place,), plain) for key, setting in source.settings.items() if key != "topic"
    }
    if source.channel != "email":
        parts["text"] = _part(source.body.text, source.body.places, plain)
        return Compiled(source=source, parts=parts)
    html, tags = markup(source, rich)
    body, preheader = source.body, source.settings.get("preheader")
    parts["html"] = _html_part(html, tags, body, preheader, rich)
    if source.alternative is not None:
        parts["text"] = _part(source.alternative.text, source.alternative.places, plain)
    else:
        text, lines = restore(plain_text(between_elements(html), tags), tags)
        parts["text"] = _part(text, tuple(body.place(line) for line in lines), plain)
    return Compiled(source=source, parts=parts)


def markup(source: Source, rich: Sandbox) -> tuple[str, list[Tag]]:
    """The HTML of an e-mail template, its tags hidden, and the tags. Raises RenderError for what cannot be read."""
    body = source.body
    try:
        hidden, tags = hide(body.text, rich)
    except TemplateSyntaxError as error:
        raise _broken(error.message or "", body.place(error.lineno)) from None
    try:
        return (from_mjml(hidden) if source.kind == "mjml" else from_html(hidden)), tags
    except MarkupError as error:
        told, offset = str(error), error.offset
    way_out = "Attributes need quotes, every element its end, and a bare `<` is written `&lt;`."
    told = f"The MJML cannot be read: {told}."
    if offset is None:
        raise RenderError("template_broken", told, template=source.path, way_out=way_out)
    before = hidden[:offset]
    line = max((tags[int(word[1])].line for word in WORD.finditer(before)), default=1)
    place = body.place(max(line, before.count("\n") + 1))
    raise RenderError("template_broken", told, template=place.file, line=place.line, way_out=way_out)


def _html_part(html: str, tags: list[Tag], body: Body, preheader: Setting | None, rich: Sandbox) -> Part:
    text, lines = restore(html, tags)
    places = [body.place(line) for line in lines]
    if preheader is not None and preheader.value:
        # Line breaks around it give it lines of its own, so that its errors are told with its own place.
        before = text
        text = with_preheader(text, f"\n{preheader.value}\n")
        at = before.count("\n", 0, next(i for i, (a, b) in enumerate(zip(before, text, strict=False)) if a != b)) + 1
        places[at:at] = [preheader.place, places[at - 1]]
    return _part(text, tuple(places), rich)


def _part(text: str, places: tuple[Place, ...], environment: Sandbox) -> Part:
    path = places[0].file
    try:
        tree = environment.parse(text, path, path)
        code = environment.compile(Measured().visit(tree), path, path)
    except TemplateSyntaxError as error:
        raise _broken(error.message or "", places[min(error.lineno, len(places)) - 1]) from None
    return Part(code=jinja2.Template.from_code(environment, code, environment.make_globals(None)), places=places)


def _broken(told: str, place: Place) -> RenderError:
    return RenderError("template_broken", told, template=place.file, line=place.line)
