"""The command line: reads the configuration and does what was asked."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from bot.console import wizard
from bot.console.arguments import command_line
from bot.console.diagnosis import misconfigured
from bot.console.farewell import ending, stopped
from bot.console.logs import set_up_logging
from bot.console.words import causes
from engine.config import ConfigurationError, problems_with
from engine.errors import OutsideError
from gate.configuration import DOTENV, configured
from gate.orders import execute


def main(argv: Sequence[str] | None = None) -> int:
    """Read the command line and the configuration, and do what was asked."""
    gc.freeze()  # what was imported stays: no collection has to go through it, the last one least of all
    arguments = command_line().parse_args(argv)
    if arguments.command == "init":
        return wizard.run(problems_with, os.environ, DOTENV, Path(".env.example")) or main(["doctor"])
    try:
        settings = configured(setting_up=arguments.command in {"stripe-setup", "doctor"})
    except ConfigurationError as error:
        return misconfigured(error.problems, arguments)
    set_up_logging(settings.log_format)
    try:
        return execute(arguments, settings)
    except* (OutsideError, OSError) as group:
        errors = causes(group)
    return stopped(errors)


if __name__ == "__main__":
    sys.exit(ending(main))
