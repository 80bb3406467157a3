"""Runs the fake by itself: `python -m tests.fakes.slack --port 9100`."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys

from tests.fakes.slack.app import APP_TOKEN, BOT_TOKEN, SIGNING_SECRET
from tests.fakes.slack.fake import FakeSlack


async def serve(port: int, events_url: str | None) -> None:
    """Serve until interrupted; the first line printed is the environment that the app needs."""
    async with FakeSlack(events_url=events_url, port=port) as slack:
        environment = {"SLACK_API_URL": slack.api_url, "SLACK_BOT_TOKEN": BOT_TOKEN}
        environment |= (
            {"SLACK_SIGNING_SECRET": SIGNING_SECRET} if events_url else {"SLACK_APP_TOKEN": APP_TOKEN}
        )
        sys.stdout.write(json.dumps(environment) + "\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.fakes.slack", description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--events-url", help="send signed HTTP there instead of Socket Mode envelopes")
    options = parser.parse_args()
    try:
        asyncio.run(serve(options.port, options.events_url))
    except KeyboardInterrupt:
        sys.exit(0)


main()
