"""What is logged, and how it looks."""

from __future__ import annotations

import logging
import sys

import structlog


def set_up_logging(log_format: str | None) -> None:
    """Everything that is logged, as lines for people on a terminal and as JSON elsewhere."""
    as_json = log_format == "json" or (log_format is None and not sys.stderr.isatty())
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
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
