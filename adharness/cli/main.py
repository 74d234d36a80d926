"""The command `adharness`: finds a subcommand, owns the exit code, prints errors in three lines."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import click

from adharness.cli import exit_codes, render
from adharness.cli.lazy import LazyGroup
from adharness.errors import AdharnessError

COMMANDS: Mapping[str, str] = MappingProxyType(
    {
        "run": "adharness.cli.run:run",
        "report": "adharness.cli.run:report",
        "rescore": "adharness.cli.rescore:rescore",
        "compare": "adharness.cli.compare:compare",
        "bundle": "adharness.cli.bundle:bundle",
        "verify": "adharness.cli.verify:verify",
        "merge": "adharness.cli.merge:merge",
        "save": "adharness.cli.save:save",
        "score": "adharness.cli.score:score",
        "features": "adharness.cli.features:features",
        "export": "adharness.cli.export:export",
        "publish": "adharness.cli.publish:publish",
        "check": "adharness.cli.check:check",
        "plugins": "adharness.cli.plugins:plugins",
        "components": "adharness.cli.components:components",
        "new-plugin": "adharness.cli.new_plugin:new_plugin",
        "conform": "adharness.cli.conform:conform",
        "data": "adharness.cli.data:data",
        "cache": "adharness.cli.cache:cache",
        "status": "adharness.cli.status:status",
        "reproduce": "adharness.cli.reproduce:reproduce",
    }
)
"""Command -> `module:function`. A module is imported when its command runs or `--help` lists it."""


class Program(LazyGroup):
    """The commands of `adharness`."""

    table = COMMANDS


@click.group(cls=Program, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="adharness", prog_name="adharness")
def cli() -> None:
    """Compare visual anomaly-detection methods fairly.

    \b
    Exit codes: 0 fine, 1 some cells failed, a data set is broken, a metric fell, a component
    breaks its contract, or a bundle or a reproduction disagrees,
    2 suite or usage error, 3 plugin problem under --strict, 130 interrupted.
    """  # noqa: D301  \b is click's mark for a paragraph not to be wrapped


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit. A command sets its exit code with `ctx.exit(code)`."""
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code; errors are printed, none passes through.

    Parameters
    ----------
    arguments
        Those after the program's name; None for `sys.argv`.
    """
    try:
        code = cli.main(args=arguments, prog_name="adharness", standalone_mode=False)
    except BaseException as error:  # noqa: BLE001  where all errors end
        return _answer(error)
    return code if isinstance(code, int) else exit_codes.FINE


def _answer(error: BaseException) -> int:
    """Print what went wrong and return the exit code it stands for."""
    if isinstance(error, click.Abort | KeyboardInterrupt):
        render.print_note("interrupted; what is done is stored, and the same command goes on")
        return exit_codes.INTERRUPTED
    if isinstance(error, click.ClickException):
        return _usage(error)
    # click turns a broken pipe into an exit with code 1, which says that cells failed.
    if isinstance(error, BrokenPipeError) or isinstance(error.__context__, BrokenPipeError):
        return _hang_up()
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else exit_codes.USAGE
    if isinstance(error, AdharnessError):
        render.print_error(error.message, where=error.where, hint=error.hint)
        _trace(error)
        return exit_codes.USAGE
    return _crash(error)


def _usage(error: click.ClickException) -> int:
    """Print a mistake on the command line like any other error."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    if context is None or isinstance(error, click.exceptions.NoArgsIsHelpError):
        error.show()
        return error.exit_code
    render.print_error(error.format_message(), hint=f"{context.command_path} --help")
    return error.exit_code


def _trace(error: BaseException) -> None:
    if os.environ.get("ADHARNESS_TRACE", "") not in ("", "0"):
        render.print_traceback("".join(traceback.format_exception(error)))


def _crash(error: BaseException) -> int:
    """Report what nobody foresaw: the traceback first, so that the message stays in sight."""
    render.print_traceback("".join(traceback.format_exception(error)))
    message = f"unexpected {type(error).__name__}: {error}"
    hint = "this is a bug of adharness: please report it with the lines above"
    render.print_error(message, hint=hint)
    return exit_codes.CRASHED


def _hang_up() -> int:
    """Leave quietly after `adharness ... | head`: nobody reads on."""
    # Python flushes stdout once more at exit, which would print another error.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return exit_codes.FINE
