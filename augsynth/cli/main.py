"""Assemble the commands, and turn errors into one clear line and an exit code."""

from __future__ import annotations

import sys
import warnings
from typing import Any

import typer

from augsynth._version import __version__
from augsynth.cli.annotating import annotate
from augsynth.cli.checking import check
from augsynth.cli.demo import demo
from augsynth.cli.distilling import distill
from augsynth.cli.failing import debugging, report_bug
from augsynth.cli.fit import fit
from augsynth.cli.generate import generate
from augsynth.cli.guide import guide
from augsynth.cli.judging import audit, evaluate, report, tune, uplift
from augsynth.cli.new_plugin import new_plugin
from augsynth.cli.plugins import plugins
from augsynth.cli.road import clean, prepare, run
from augsynth.cli.sample import sample
from augsynth.cli.telling import tell
from augsynth.errors import AugsynthError, FitError

app = typer.Typer(
    invoke_without_command=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Fit a generator on your data, blend its samples into your DataLoader, see whether it helped.",
)
for command in (
    demo,
    run,
    prepare,
    clean,
    plugins,
    check,
    new_plugin,
    fit,
    distill,
    sample,
    generate,
    evaluate,
    audit,
    uplift,
    tune,
    annotate,
    report,
):
    app.command()(command)


def _show_version(value: bool) -> None:
    if value:
        tell(f"augsynth {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    context: typer.Context,
    version: bool = typer.Option(False, "--version", callback=_show_version, is_eager=True, help="Show the version."),
) -> None:
    if context.invoked_subcommand is None:
        tell(guide(list(context.command.commands)))  # type: ignore[attr-defined]


def main() -> None:
    """Run the command line: exit code 2 for the user's mistake, 1 for a failed fit or a bug, 130 for Ctrl-C."""
    warnings.showwarning = _one_line
    try:
        app()  # handles mistakes in the arguments itself, with exit code 2
    except FitError as error:
        _end(str(error), 1)
    except AugsynthError as error:
        _end(str(error), 2)
    except Exception as error:
        if debugging():
            raise
        _end(report_bug(error), 1)


def _end(told: str, code: int) -> None:
    tell(f"augsynth: {told}", err=True)
    sys.exit(code)


def _one_line(message: Any, category: type[Warning], *_: Any, **__: Any) -> None:
    tell(f"augsynth: warning: {message}", err=True)
