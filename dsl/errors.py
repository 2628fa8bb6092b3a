"""Errors of machines and set-ups that a reader can mend. (Mistakes in playbooks are diagnostics and no exceptions.)"""

from __future__ import annotations


class UserError(Exception):
    """Where, why, and what to do in one or two sentences. Each package has its own kinds."""

    def __init__(self, place: str, reason: str, way_out: str) -> None:
        super().__init__(f"{place}: {reason}\n{way_out}")
        self.place = place
        self.reason = reason
        self.way_out = way_out
