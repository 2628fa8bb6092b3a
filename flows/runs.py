"""One run of a flow in this process, on a server that answers."""

from __future__ import annotations

import logging
import time
from dataclasses import asdict
from typing import Any, TypeVar, cast
from uuid import UUID

from prefect import State, get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId
from prefect.settings import PREFECT_API_URL, temporary_settings

from flows.build import Outcome, PlaybookFlow
from flows.watch import Parameters, Report

R = TypeVar("R", bound=Report)

RECORDING_SECONDS = 10


def run(flow: PlaybookFlow[R], parameters: Parameters, *, url: str) -> R:
    """Run the flow to its end and give what its tick gave back. Raises what the tick raised.

    When this returns the server has everything about the run, and may end.
    """
    with temporary_settings(updates={PREFECT_API_URL: url}):
        try:
            state = cast("State[Any]", flow(**asdict(parameters), return_state=True))
        finally:  # also after Ctrl-C
            for handler in logging.getLogger("prefect.flow_runs").handlers:
                handler.flush()
        outcome: Outcome[R] | Exception = state.result(raise_on_failure=False)
        if isinstance(outcome, Exception):  # Prefect's own, of parameters that it refused
            raise outcome
        if (id := state.state_details.flow_run_id) is not None:
            _recorded(id, outcome.steps)
    if outcome.error is not None:
        raise outcome.error
    assert outcome.report is not None
    return outcome.report


def _recorded(flow_run: UUID, steps: int) -> None:
    """Wait until the server has recorded the end of so many steps: it hears of them a moment later than of the run."""
    end = time.monotonic() + RECORDING_SECONDS
    this = FlowRunFilter(id=FlowRunFilterId(any_=[flow_run]))
    with get_client(sync_client=True) as client:
        while time.monotonic() < end:
            runs = client.read_task_runs(flow_run_filter=this, limit=min(steps + 1, 200))
            if sum(run.state is not None and run.state.is_final() for run in runs) >= min(steps, 200):
                return
            time.sleep(0.05)
