"""Tables and texts on the page of a run: the steps with their counts, what was skipped and why, a summary."""

from __future__ import annotations

import re

from prefect.artifacts import create_markdown_artifact, create_table_artifact

from flows.watch import Table


def artifact_key(playbook: str, key: str) -> str:
    """A key that Prefect accepts (`[a-z0-9-]`), and that no other playbook has: `abandoned-cart-steps`."""
    owner, name = (re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") for text in (playbook, key))
    return name if name.startswith(f"{owner}-") else f"{owner}-{name}"


def show(playbook: str, key: str, title: str, markdown: str | None, table: Table | None) -> None:
    """Keep a text, a table or both with the run that is going on.

    A text above a table is the table's description. An empty table says so in a text: Prefect draws nothing for it.
    """
    name = artifact_key(playbook, key)
    heading = f"### {title}"
    if table:
        rows = [dict(row) for row in table]
        create_table_artifact(key=name, table=rows, description=f"{heading}\n\n{markdown}" if markdown else heading)
        return
    body = markdown or "Nothing to show."
    create_markdown_artifact(key=name, markdown=f"{heading}\n\n{body}", description=title)
