"""What every connector is: a manifest, and messages in, outcomes out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from types import TracebackType
from typing import Protocol, Self

from dsl.delivery import Message, Outcome
from dsl.errors import UserError


class ConfigurationError(UserError):
    """A setting is missing or makes no sense: `place` says which, `way_out` what to write. Holds no secret."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a caller must know of a connector before it hands messages over."""

    name: str
    channels: frozenset[str]
    repeatable: bool
    """The same key twice is one message: a send whose outcome is unknown may be tried again."""
    batch: int
    """The most messages in one call of `send`."""
    connections: int
    """How many messages are under way at once."""
    longest: timedelta
    """The longest that one message can take, first byte to outcome: a lease must outlast a batch of them."""


class Connector(Protocol):
    """One way to the outside world.

    A connector is opened once, used for any number of calls, and closed. It keeps its connections between calls of the
    same event loop, and makes new ones when the loop is another or the other side has closed them.
    """

    @property
    def manifest(self) -> Manifest: ...

    def send(self, messages: Sequence[Message]) -> AsyncIterator[Outcome]:
        """Send, and give exactly one outcome for each message, in any order, each as soon as it is known.

        Nothing that the other side does raises: it becomes an outcome. A message is `UNKNOWN` only when its first byte
        had left and no answer came. Raises ValueError for a message of a channel that the manifest does not name,
        before anything is sent.
        """
        ...

    def accepted(self, keys: Sequence[str]) -> Mapping[str, bool] | None:
        """Evidence: whether each key is known to have been accepted. None: this connector cannot look it up."""
        ...

    async def check(self) -> list[str]:
        """What stands in the way of sending, in sentences with the way out; nothing is sent."""
        ...

    async def open(self) -> None: ...

    async def close(self) -> None:
        """Close what is open. May be called twice."""
        ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Advertising(Protocol):
    """A service that keeps audiences, to which people are added and from which they are removed."""

    async def change(self, audience: str, *, add: Sequence[str], remove: Sequence[str]) -> str | None:
        """Change the audience of this name. People are SHA-256 hashes of their trimmed, lower-cased e-mail addresses.

        Repeatable: who is added twice is in once. None: all of it was taken over. Otherwise why not, for people: then
        nothing of the call counts as done. Nothing that the other side does raises.
        """
        ...


def refuse_others(manifest: Manifest, messages: Sequence[Message]) -> None:
    """Raises ValueError when a message is of a channel that the connector does not serve, or the batch is too big."""
    if wrong := {message.channel for message in messages} - manifest.channels:
        raise ValueError(f"{manifest.name} does not send {', '.join(sorted(wrong))}")
    if len(messages) > manifest.batch:
        raise ValueError(f"{manifest.name} takes at most {manifest.batch} messages a call, not {len(messages)}")
