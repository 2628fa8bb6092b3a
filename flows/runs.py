"""One run of a flow in this process, on a server that answers."""

from __future__ import annotations

import logging
from dataclasses import asdict
from typing import TypeVar, cast

from prefect import Flow
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.states import State

from flows.watch import Parameters, Report

R = TypeVar("R", bound=Report)


def run(flow: Flow[..., R], parameters: Parameters, *, url: str) -> R:
    """Run the flow to its end and give what its tick gave back. Raises what the tick raised."""
    with temporary_settings(updates={PREFECT_API_URL: url}):
        state = cast("State[R]", flow(**asdict(parameters), return_state=True))
        _flush()
    result = state.result(raise_on_failure=False)
    if isinstance(result, Exception):
        raise result
    return result


def _flush() -> None:
    """Let the server have every line of the log before it may end."""
    for handler in logging.getLogger("prefect.flow_runs").handlers:
        handler.flush()
