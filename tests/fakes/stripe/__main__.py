"""Runs the fake Stripe as a process: `python -m tests.fakes.stripe --port N --webhook-url URL --secret S`."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import sys

from tests.fakes.stripe.fake import SECRET, FakeStripe


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fakes.stripe", description=__doc__)
    parser.add_argument("--port", type=int, default=12111, help="0 takes a free one")
    parser.add_argument("--webhook-url", help="where events go")
    parser.add_argument("--secret", default=SECRET, help="what events are signed with")
    parser.add_argument("--thin-secret", help="sends thin events to the same address, signed with this")
    parser.add_argument("--usage-cents", help="makes the meter, and a price of so many cents a unit")
    parser.add_argument("--live", action="store_true", help="take live keys only")
    parser.add_argument("--empty", action="store_true", help="start without products and prices")
    return parser.parse_args()


async def _serve(arguments: argparse.Namespace) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    stock = {"stocked": not arguments.empty, "usage_cents": arguments.usage_cents}
    async with FakeStripe(port=arguments.port, livemode=arguments.live, **stock) as fake:
        if arguments.webhook_url:
            fake.deliver_to(arguments.webhook_url, arguments.secret)
        if arguments.webhook_url and arguments.thin_secret:
            fake.deliver_thin_to(arguments.webhook_url, arguments.thin_secret)
        sys.stdout.write(f"{fake.base_url}\n")
        sys.stdout.flush()
        await stop.wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(_arguments()))
