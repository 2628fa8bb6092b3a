"""What can go wrong with a template: at load (problems, sentences) and for one person (`RenderError`)."""

from __future__ import annotations


class RenderError(Exception):
    """This message cannot be made for this person. Trying again with the same values gives the same error.

    Its text names the template and what it asked for, never a value of the person.
    """

    def __init__(self, reason: str, told: str, *, template: str, line: int | None = None, way_out: str = "") -> None:
        """`reason`: a stable code. `template`: the path of the file. `line`: in that file, from 1."""
        place = template if line is None else f"{template}:{line}"
        super().__init__(f"{place}: {told}" + (f" {way_out}" if way_out else ""))
        self.reason = reason
        self.told = told
        self.template = template
        self.line = line
        self.way_out = way_out


class Refused(Exception):  # noqa: N818  it never leaves this package
    """Raised inside a template by its own limits and filters; becomes a RenderError with place."""

    def __init__(self, reason: str, told: str, way_out: str = "") -> None:
        super().__init__(told)
        self.reason = reason
        self.told = told
        self.way_out = way_out


def unknown(what: str) -> Refused:
    """For a value that this person does not have."""
    return Refused(
        "value_unknown",
        f"{what} is unknown for this person.",
        "Write what to say instead, like `{{ profile.first_name | default('there') }}`, or ask with `{% if … %}`.",
    )
