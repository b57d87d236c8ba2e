"""The command `charter`: finds the command's module and hands over. It loads nothing that the command does not need.

Exit codes, for all commands: 0 nothing to complain about, 1 findings (or scores under the threshold), 2 the usage, the
settings or Charter itself is at fault. A run that is interrupted ends with 130.
"""

from __future__ import annotations

import errno
import gc
import importlib
import os
import sys
from typing import NoReturn

import click

from charter import __version__
from charter.engine.frames import with_room

COMMANDS = {
    "check": "Check Python code against the charter, and fix what can be fixed.",
    "score": "Score code by principle and pillar, from 0 to 100.",
    "explain": "Explain a rule, a principle or a score.",
    "rules": "List the rules.",
    "principles": "List the principles and the rules that are their evidence.",
    "models": "Print the project's data models and their relations.",
    "conventions": "Print the conventions that the project's own code follows.",
    "init": "Write a settings file to start from.",
    "baseline": "Accept today's findings, so that only new ones count.",
    "new-rule": "Start a rule in an installable package of its own, with a test.",
    "schema": "Print the JSON schema of the settings.",
    "lsp": "Start the language server.",
    "review": "Review a pull request.",
}
"""Every command with its one line of help; each is a module of this package, imported when it is called."""


class Commands(click.Group):
    """The group of all commands, of which only the one that is called gets loaded."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load a command."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"charter.cli.{cmd_name.replace('-', '_')}")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find a command, guessing what a misspelt one should have been."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from charter.engine.settings import guess

            ctx.fail(
                f"no command is called `{args[0]}`; {guess(args[0], COMMANDS) or 'see `charter --help`'}"
            )
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        """Run the command. Where the reader goes away click and rich would end with 1, as if there were findings."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            _end_unread()
        except SystemExit as end:
            if isinstance(end.__context__, BrokenPipeError):
                _end_unread()
            raise

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without loading them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.command(
    cls=Commands,
    epilog="Exit codes: 0 clean, 1 findings, 2 usage or settings error (or a fault in Charter itself).",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.version_option(__version__, prog_name="charter")
def cli() -> None:
    """Charter reviews Python against a charter of 47 principles: it finds, explains, fixes and scores."""


@with_room
def _command() -> object:
    return cli.main(standalone_mode=False)


def run() -> None:
    """The entry point; ends the process."""
    # Whoever closed them wants to read nothing; the exit code still tells.
    sys.stdout = sys.stdout or os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")
    sys.stderr = sys.stderr or os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")
    for stream in (sys.stdout, sys.stderr):
        # A file's name or a line of code may hold what the terminal's encoding lacks.
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")
    gc.disable()  # a command is over before what it leaves behind would be worth looking for
    try:
        code = _command()
        sys.stdout.flush()
    except click.exceptions.Abort:
        click.echo("Interrupted; nothing was left half done.", err=True)
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except BrokenPipeError:
        _end_unread()
    except Exception as error:  # noqa: BLE001 (it must not end with 1, which means findings)
        _tell(error)
        sys.exit(2)
    sys.exit(code if isinstance(code, int) else 0)


def _end_unread() -> NoReturn:
    """End without complaint: the reader (`head`, a pager) went away, which is no fault."""
    # What is still to be written would be missed once more when the interpreter ends.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(0)


def _tell(error: Exception) -> None:
    """Say what ended the command: the disk's refusals in a line, all else, which Charter should have met, with its trace."""
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        said = f"The output is not whole: {error.strerror}. Make room where it goes, and run again."
    elif isinstance(error, OSError) and error.filename:
        said = f"Error: {error.filename}: {error.strerror}; check the path and its permissions"
    else:
        import traceback

        traceback.print_exception(error)
        said = "This is a fault of Charter itself. Please report it together with the lines above."
    click.echo(said, err=True)
