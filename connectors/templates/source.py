"""A template as it lies on the disk: front matter, body, and the file and line that each line of the body came from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dsl.catalog import MARKETING

KEYS: Mapping[str, frozenset[str]] = {
    "email": frozenset({"subject", "preheader", "topic"}),
    "sms": frozenset({"topic"}),
    "whatsapp": frozenset({"topic"}),
    "webhook": frozenset({"topic"}),
    "push": frozenset({"title", "url", "topic"}),
}
"""What the front matter of a channel's templates may hold."""
REQUIRED: Mapping[str, frozenset[str]] = {
    "email": frozenset({"subject"}),
    "sms": frozenset(),
    "whatsapp": frozenset(),
    "webhook": frozenset(),
    "push": frozenset({"title"}),
}
SUFFIXES: Mapping[str, tuple[str, ...]] = {
    "email": (".mjml", ".html"),
    "sms": (".txt",),
    "whatsapp": (".txt",),
    "webhook": (".txt",),
    "push": (".txt",),
}

_INCLUDE = re.compile(r"<mj-include\s+path=\"([^\"]+)\"\s*(?:/>|>\s*</mj-include>)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One line of the front matter."""

    value: str
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    text: str
    places: tuple[Place, ...]
    """Of each line of `text`."""

    def place(self, line: int) -> Place:
        """Where line `line` of the text (from 1) was written."""
        return self.places[min(max(line, 1), len(self.places)) - 1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One template. `alternative`: the text part of an e-mail that stands beside it."""

    channel: str
    name: str
    path: str
    kind: str
    """`mjml`, `html` or `txt`."""
    settings: Mapping[str, Setting]
    body: Body
    alternative: Body | None
    problems: tuple[str, ...]

    @property
    def topic(self) -> str:
        return self.settings["topic"].value if "topic" in self.settings else MARKETING


def read(channel: str, name: str, files: Mapping[str, Path], shown: str) -> Source:
    """The template of these files, by suffix. `shown`: the folder in messages. Never raises for what is in them."""
    problems: list[str] = []
    main = next((suffix for suffix in SUFFIXES[channel] if suffix in files), None)
    if main is None:
        path = f"{shown}/{name}.txt"
        problems.append(f"{path}: This is a text part alone. Write {name}.mjml or {name}.html beside it.")
        main = ".txt"
    elif channel == "email" and {".mjml", ".html"} <= files.keys():
        problems.append(f"{shown}/{name}.html: {name}.mjml stands beside it. Remove one of the two.")
    path = f"{shown}/{name}{main}"
    text = _text(files[main], path, problems)
    settings, start = _front_matter(channel, text, path, problems)
    lines = text.split("\n")[start:]
    places = [Place(file=path, line=start + number) for number in range(1, len(lines) + 1)]
    body = _included(lines, places, files[main].parent, shown, problems) if main == ".mjml" else _body(lines, places)
    alternative = None
    if channel == "email" and ".txt" in files and main != ".txt":
        beside = f"{shown}/{name}.txt"
        lines = _text(files[".txt"], beside, problems).split("\n")
        alternative = _body(lines, [Place(file=beside, line=number) for number in range(1, len(lines) + 1)])
    return Source(
        channel=channel,
        name=name,
        path=path,
        kind=main[1:],
        settings=settings,
        body=body,
        alternative=alternative,
        problems=tuple(problems),
    )


def _text(path: Path, shown: str, problems: list[str]) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        problems.append(f"{shown}: This file is not UTF-8. Save it as UTF-8.")
    except OSError as error:
        problems.append(f"{shown}: This file cannot be read ({error.strerror}).")
    return ""


def _front_matter(channel: str, text: str, path: str, problems: list[str]) -> tuple[dict[str, Setting], int]:
    """The settings, and how many lines they take."""
    lines = text.split("\n")
    if lines[0].strip() != "---":
        return {}, 0
    end = next((number for number, line in enumerate(lines[1:], start=1) if line.strip() == "---"), None)
    if end is None:
        problems.append(f"{path}:1: The front matter never ends. Write `---` on a line of its own after it.")
        return {}, 1
    settings: dict[str, Setting] = {}
    known = ", ".join(f"`{key}`" for key in sorted(KEYS[channel]))
    for number, line in enumerate(lines[1:end], start=2):
        if not line.strip():
            continue
        key, colon, value = line.partition(":")
        key = key.strip()
        if not colon:
            problems.append(f"{path}:{number}: A line of the front matter is `key: value`.")
        elif key not in KEYS[channel]:
            problems.append(f"{path}:{number}: There is no `{key}` here. An {channel} template takes {known}.")
        elif key in settings:
            problems.append(f"{path}:{number}: `{key}` stands here twice.")
        else:
            settings[key] = Setting(value=value.strip(), place=Place(file=path, line=number))
    return settings, end + 1


def _body(lines: list[str], places: list[Place]) -> Body:
    return Body(text="\n".join(lines), places=tuple(places))


def _included(lines: list[str], places: list[Place], folder: Path, shown: str, problems: list[str]) -> Body:
    """The body with `<mj-include path="parts/footer.mjml" />` replaced by that file, which includes no other."""
    made: list[tuple[str, Place]] = []
    for line, place in zip(lines, places, strict=True):
        found = _INCLUDE.search(line)
        if not found:
            made.append((line, place))
            continue
        path = found[1]
        inside = (folder / path).resolve()
        if not inside.is_relative_to(folder.resolve()) or not inside.is_file():
            problems.append(f"{place}: There is no file `{path}` in {shown}/.")
            made.append((line[: found.start()] + line[found.end() :], place))
            continue
        made.append((line[: found.start()], place))
        part = f"{shown}/{path}"
        text = _text(inside, part, problems)
        if _INCLUDE.search(text):
            problems.append(f"{part}: An included file cannot include another.")
        made += [(one, Place(file=part, line=number)) for number, one in enumerate(text.split("\n"), start=1)]
        made.append((line[found.end() :], place))
    return _body([line for line, _ in made], [place for _, place in made])
