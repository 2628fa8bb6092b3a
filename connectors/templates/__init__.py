"""Templates: a folder of files in, messages out.

`templates/email/NAME.mjml` or `NAME.html` (and `NAME.txt` for a text part of its own), `templates/sms/NAME.txt`,
`templates/push/NAME.txt`. All are Jinja2, with a front matter of `key: value` lines between two lines `---`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from connectors import mime
from connectors.templates.compiled import Compiled, compiled
from connectors.templates.errors import RenderError
from connectors.templates.limits import DEFAULT, Budget, Limits
from connectors.templates.plaintext import settle
from connectors.templates.problems import describe
from connectors.templates.sandbox import Sandbox
from connectors.templates.source import SUFFIXES, Source, read
from connectors.templates.values import profile_values
from dsl.catalog import TRANSACTIONAL, Template
from dsl.delivery import Message

__all__ = ["RenderError", "TemplateSet", "load_templates"]


def load_templates(folder: Path, *, limits: Limits = DEFAULT) -> TemplateSet:
    """The templates of a project; none for a missing folder. Reads the files, and compiles each at its first use."""
    found: dict[tuple[str, str], Source] = {}
    for channel, suffixes in SUFFIXES.items():
        named: dict[str, dict[str, Path]] = {}
        for path in sorted((folder / channel).glob("*")):
            if path.suffix in {*suffixes, ".txt"} and path.is_file():
                named.setdefault(path.stem, {})[path.suffix] = path
        for name, files in named.items():
            found[channel, name] = read(channel, name, files, f"{folder.name}/{channel}")
    return TemplateSet(found, limits)


class TemplateSet:
    """All templates of a project, each compiled once."""

    def __init__(self, sources: Mapping[tuple[str, str], Source], limits: Limits = DEFAULT) -> None:
        self._sources = sources
        self._limits = limits
        self._plain = Sandbox(plain=True)
        self._rich = Sandbox(plain=False)
        self._compiled: dict[tuple[str, str], Compiled] = {}
        self._described: dict[tuple[str, str], Template] = {}

    def describe(self) -> dict[tuple[str, str], Template]:
        """What the compiler knows of each, by (channel, name). Parses once, and compiles nothing."""
        if not self._described:
            self._described = {key: describe(source, self._plain, self._rich) for key, source in self._sources.items()}
        return dict(self._described)

    def render(
        self,
        channel: str,
        name: str,
        *,
        arguments: Mapping[str, Any],
        profile: Mapping[str, Any],
        shop: Mapping[str, Any],
        unsubscribe_url: str,
        key: str,
        address: str,
        sender: str,
        date: datetime | None = None,
    ) -> Message:
        """The message to one person. Raises RenderError, in whose text is no personal data.

        `arguments`: values of the `send`. `profile`: fields by name, nested or with dots; a field it lacks is unknown.
        `shop`: name, address, url, currency, zone, and locale and reply_to if there are any. `sender`: an e-mail's
        `Name <address>`, else what the channel knows as sender. `date`: the date of an e-mail; None is now.
        """
        made = self._ready(channel, name)
        budget = Budget(self._limits)
        values = {
            **arguments,
            "profile": profile_values(profile),
            "shop": shop,
            "unsubscribe_url": unsubscribe_url,
        }
        texts = {part: one.render(values, budget, self._limits) for part, one in made.parts.items()}
        headers = {"Template": f"{channel}/{name}", "Topic": made.source.topic}
        match channel:
            case "email":
                at = date or datetime.now(UTC)
                content = _email(made.source, texts, values, key=key, address=address, sender=sender, date=at)
                headers |= {"Subject": texts["subject"], "From": sender, "Date": at.isoformat()}
            case "push":
                pushed = {"title": texts["title"], "body": texts["text"].strip(), "url": texts.get("url", "")}
                content = json.dumps(pushed, ensure_ascii=False).encode()
                headers |= {"Title": texts["title"]}
            case _:
                content = settle(texts["text"]).strip().encode()
        if channel != "email" and date is not None:
            headers["Date"] = date.isoformat()
        return Message(key=key, channel=channel, address=address, sender=sender, content=content, headers=headers)

    def _ready(self, channel: str, name: str) -> Compiled:
        if (channel, name) not in self._compiled:
            if (channel, name) not in self._sources:
                raise RenderError("template_missing", "There is no such template.", template=f"{channel}/{name}")
            self._compiled[channel, name] = compiled(self._sources[channel, name], self._plain, self._rich)
        return self._compiled[channel, name]


def _email(
    source: Source,
    texts: Mapping[str, str],
    values: Mapping[str, Any],
    *,
    key: str,
    address: str,
    sender: str,
    date: datetime,
) -> bytes:
    shop, profile, unsubscribe = values["shop"], values["profile"], values["unsubscribe_url"]
    if source.topic != TRANSACTIONAL:
        if not str(shop.get("address") or "").strip():
            raise RenderError(
                "postal_address_missing",
                "Marketing e-mail must carry the shop's postal address.",
                template=source.path,
                way_out='Write `address = "…"` under `[shop]` in winback.toml.',
            )
        if not unsubscribe:
            raise RenderError(
                "unsubscribe_missing", "Marketing e-mail must carry an unsubscribe link.", template=source.path
            )
    names = (profile.get("first_name"), profile.get("last_name"))
    try:
        return mime.skeleton(sender, str(shop.get("reply_to") or "")).fill(
            key=key,
            name=" ".join(str(one) for one in names if one),
            address=address,
            subject=texts["subject"],
            text=settle(texts["text"]),
            html=texts["html"],
            date=date,
            unsubscribe_url=unsubscribe,
        )
    except mime.HeaderError as error:
        told = str(error)
    raise RenderError("header_invalid", f"{told}.", template=source.path)
