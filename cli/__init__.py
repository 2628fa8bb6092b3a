"""The command line: one file a command, each thin. Commands load what is heavy only when they run."""

from __future__ import annotations

import typer

from cli import adopt, backtest, check, explain, fmt, importing, init, lsp, outbox, pause, plan, profile, run, test, ui
from cli.console import ERROR, fail
from cli.demo import command as demo

INTERRUPTED = 130
"""Typer's exit code after Ctrl-C."""

app = typer.Typer(
    name="winback",
    help="Marketing automation as code: playbooks that compile into Prefect flows.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for module in (
    demo,
    init,
    check,
    fmt,
    explain,
    test,
    importing,
    plan,
    backtest,
    run,
    pause,
    profile,
    outbox,
    adopt,
    ui,
    lsp,
):
    module.register(app)


def main() -> None:
    """Run the command line. Exits 0 when all is well, 1 when problems were found, 2 when it was used wrongly."""
    try:
        app(prog_name="winback")
    except SystemExit as end:
        if end.code == INTERRUPTED:
            ERROR.print("\nStopped. What was committed stays; run the same command again to go on.")
        raise
    except Exception as error:
        from cli.trouble import told

        if (trouble := told(error)) is None:
            raise
        fail(*trouble)
