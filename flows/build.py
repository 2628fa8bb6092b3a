"""A Prefect flow out of a playbook's plan. One run of the flow is one tick; its page reads as the playbook."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Generic, TypeVar
from zoneinfo import ZoneInfo

from prefect import Flow, State, get_client, runtime
from prefect.logging import get_run_logger
from prefect.states import Completed, Failed
from pydantic import AwareDatetime, Field

from dsl.plan import Audience, Plan
from flows.failure import places, reason
from flows.page import Page
from flows.watch import Parameters, Report, Watcher

R = TypeVar("R", bound=Report)

Tick = Callable[[Parameters, Watcher], R]

_PARAMETERS = """{about}

Args:
    dry_run: Work everything out and show it, but keep nothing and send nothing.
    as_of: Run as if it were this instant. Empty means now.
    limit: Send at most so many messages; the next run goes on. Empty means no bound.
    only_new: At the first run, take those who match already as seen, so that only later ones enter.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome(Generic[R]):
    """What a run of the flow returns: the report of the tick or the error that it raised."""

    steps: int
    """How many were drawn."""
    report: R | None = None
    error: Exception | None = None


PlaybookFlow = Flow[..., State[Outcome[R]]]

PACE_SECONDS = 0.08
"""The shortest that a step is drawn. The graph's axis is time: there, steps of a millisecond lie on each other."""
PACED_SECONDS = 2.0
"""No run is held up longer than this by the pace of all its steps."""


def build(
    plan: Plan,
    *,
    source: str,
    tick: Tick[R],
    zone: str = "UTC",
    pace: float = PACE_SECONDS,
) -> PlaybookFlow[R]:
    """The flow of a playbook.

    `source` is the playbook as written, for people; `tick` does the work and is given a watcher that draws it; `zone`
    is the project's time zone, for the names of runs; `pace` is the shortest time in seconds that a step is drawn.

    If `tick` raises, the run is Failed with the reason in words that hold no secrets and no personal data; in this
    process the error itself is in the outcome. Nothing of an outcome is stored or leaves the process.
    """
    pace = min(pace, PACED_SECONDS / max(1, len(plan.steps)))
    return _flow(plan.name, plan.about, plan.digest, source=source, tick=tick, zone=zone, pace=pace)


def build_audience(
    audience: Audience, *, tick: Tick[R], zone: str = "UTC", pace: float = PACE_SECONDS
) -> PlaybookFlow[R]:
    """The flow of an audience: one run brings it up to date. As `build`; a limit and `only_new` mean nothing here."""
    told = f"audience {audience.name} on {audience.connector}"
    return _flow(audience.name, audience.about or told, None, source=told, tick=tick, zone=zone, pace=pace)


def _flow(
    name: str, about: str, version: str | None, *, source: str, tick: Tick[R], zone: str, pace: float
) -> PlaybookFlow[R]:
    def playbook(
        dry_run: bool = False,
        as_of: AwareDatetime | None = None,
        limit: Annotated[int, Field(ge=1)] | None = None,
        only_new: bool = False,
    ) -> State[Outcome[R]]:
        page = Page(playbook=name, pace=pace)
        asked = Parameters(dry_run=dry_run, as_of=as_of, limit=limit, only_new=only_new)
        try:
            report = tick(asked, page)
        except Exception as error:
            get_run_logger().error("The run stopped. %s", reason(error))
            get_run_logger().debug("It happened in:\n%s", "\n".join(places(error)))
            return Failed(message=reason(error), data=Outcome(steps=page.steps, error=error))
        _rename(_title(zone) + (" · dry run" if dry_run else "") + f" · {report.headline}")
        return Completed(message=report.headline, data=Outcome(steps=page.steps, report=report))

    playbook.__name__ = playbook.__qualname__ = name
    playbook.__module__ = "flows.playbooks"  # where workers find it
    playbook.__doc__ = _PARAMETERS.format(about=about)
    return Flow(
        playbook,
        name=name,
        description=f"{about}\n\n```\n{source.strip()}\n```",
        version=version,
        flow_run_name=lambda: _title(zone),
        persist_result=False,
        log_prints=False,
        retries=0,
    )


def _title(zone: str) -> str:
    """When the run goes by: the `as_of` it was given, else when it was due, in the project's zone."""
    at: datetime = runtime.flow_run.parameters.get("as_of") or runtime.flow_run.scheduled_start_time
    return f"{at.astimezone(ZoneInfo(zone)):%d %b %Y %H:%M}"


def _rename(name: str) -> None:
    with get_client(sync_client=True) as client:
        client.set_flow_run_name(flow_run_id=runtime.flow_run.id, name=name)
