"""Runs the fake Discord by itself: `python -m tests.fakes.discord --port 9100`."""

import argparse
import asyncio
import json
import sys

from tests.fakes.discord.control import Control
from tests.fakes.discord.fake import TOKEN, FakeDiscord


async def serve(port: int, token: str) -> None:
    """Serve until cancelled; the first line of output is the environment that a bot needs, as JSON."""
    fake = FakeDiscord(token=token)
    Control(fake).mount()
    await fake.start(port)
    sys.stdout.write(json.dumps(fake.variables) + "\n")
    sys.stdout.flush()
    try:
        await asyncio.Event().wait()
    finally:
        await fake.stop()


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--token", default=TOKEN)
    arguments = parser.parse_args()
    try:
        asyncio.run(serve(arguments.port, arguments.token))
    except KeyboardInterrupt:
        sys.exit(0)


if __name__ == "__main__":
    main()
