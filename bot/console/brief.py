"""Prints the report of the last whole day, or sends it at once, however often it was sent before."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, timedelta

from bot.console.household import Household
from bot.daily.couriers import MailCourier
from bot.daily.sheet import sheet
from bot.daily.text import text
from engine.daily import Courier, Daily
from engine.errors import OutsideError

NOWHERE = "Set SMTP_URL, MAIL_FROM and MAIL_TO first; docs/operator.md tells more. --daily prints the report."


async def report(arguments: Namespace, house: Household) -> int:
    """Print it with --daily; with --send bring it by mail, and 1 if somebody cannot be reached."""
    if arguments.to and not arguments.send:
        print("--to says where --send sends it: give both.", file=sys.stderr)
        return 2
    yesterday = house.clock.now().astimezone(UTC).date() - timedelta(days=1)
    daily = await house.office.daily.read(yesterday)
    if arguments.daily:
        print(text(sheet(daily, "")))
    if not arguments.send:
        return 0
    mail = house.settings.mail
    if mail is None:
        print(NOWHERE, file=sys.stderr)
        return 2
    to = replace(mail, receivers=(arguments.to,)) if arguments.to else mail
    return await sent(daily, MailCourier(to, f"{house.settings.server.app_url}/admin"), to.receivers)


async def sent(daily: Daily, courier: Courier, receivers: Sequence[str]) -> int:
    """Bring it, and say what came of that."""
    try:
        missed = [await courier.carry(daily, each, again=False) for each in courier.destinations()]
    except OutsideError as error:
        print(f"Not sent: {error}.", file=sys.stderr)
        return 1
    if any(missed):
        print(f"The report of {daily.day} is sent, but {'; '.join(missed)}.", file=sys.stderr)
        return 1
    print(f"The report of {daily.day} is sent to {', '.join(receivers)}.")
    return 0
