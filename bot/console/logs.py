"""What is logged, and how it looks."""

from __future__ import annotations

import logging
import re
import sys

import structlog
from structlog.typing import EventDict

from engine.tracing import current

SECRETS = re.compile(
    r"""
      [\w.+-]+@[\w-]+\.[\w.-]+            # an e-mail address
    | \b(?:sk|rk|pk)[_-]\w[\w-]{7,}        # keys of Stripe, OpenAI, Anthropic
    | \bwhsec_\w+ | \bxox[a-z]-[\w-]+ | \bxapp-[\w-]+ | \bAIza[\w-]{10,}
    | (?<=Bearer\ )\S+ | (?<=Bot\ )[\w-]{20,}\.[\w.-]+
    """,
    re.VERBOSE,
)
"""What must not be in a log, whoever wrote the line: libraries quote what they are given."""
HIDDEN = "[hidden]"


def add_request(_logger: object, _name: str, event: EventDict) -> EventDict:
    """The id of the request that the line is about."""
    if request := current():
        event.setdefault("request", request)
    return event


def scrub(_logger: object, _name: str, event: EventDict) -> EventDict:
    """Hide addresses and keys in every text of a line, a traceback included."""
    for name, value in event.items():
        if isinstance(value, str):
            event[name] = SECRETS.sub(HIDDEN, value)
    return event


def set_up_logging(log_format: str | None) -> None:
    """Everything that is logged, as lines for people on a terminal and as JSON elsewhere."""
    as_json = log_format == "json" or (log_format is None and not sys.stderr.isatty())
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        add_request,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        scrub,
    ]
    last: structlog.typing.Processor = structlog.dev.ConsoleRenderer()
    if as_json:
        last = structlog.processors.JSONRenderer()
    clean = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    formatter = structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=[clean, last])
    handler = logging.StreamHandler()
    handler.setFormatter(formatter)
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for chatty in ("httpx", "httpx2", "discord", "slack_bolt", "stripe"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
