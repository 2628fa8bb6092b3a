"""What a template writes of a person is known: who has no first name gets no message that begins with it."""

from __future__ import annotations

from collections.abc import Iterator

from dsl.catalog import SUMS, Catalog
from dsl.checks.facts import is_known, places
from dsl.diagnostics import Diagnostic
from dsl.program import Program, Send
from dsl.suggest import listed
from dsl.types import Type

_ALWAYS = SUMS | {"created_at"}
_MANY = frozenset({Type.LIST, Type.PRODUCT, Type.PRODUCTS})


def known(program: Program) -> Iterator[Diagnostic]:
    """Each template once in a playbook, at the first send that nothing above asks the fields of."""
    for playbook in program.playbooks:
        told: set[str] = set()
        for send, facts in places(playbook, program):
            if not isinstance(send, Send) or send.page is None or send.channel is None or send.page.path in told:
                continue
            address = program.catalog.channels[send.channel].address
            read = (name for name in sorted(send.page.personal - _ALWAYS - {address}) if _one(name, program.catalog))
            missing = [name for name in read if not is_known(name, facts)]
            if not missing:
                continue
            told.add(send.page.path)
            first = missing[0]
            yield Diagnostic(
                code="WB380",
                span=send.at,
                message=f"The template {send.page.path} writes {listed(missing)}: people of whom that is not known get "
                "no message.",
                hint=f"Write in it what to say instead, like `{{{{ profile.{first} | default('…') }}}}`, or ask "
                f"`{first} is known` first.",
                severity="warning",
            )


def _one(name: str, catalog: Catalog) -> bool:
    """Whether it is one value, and no list or product."""
    field = catalog.field(name)
    return field is None or field.type not in _MANY
