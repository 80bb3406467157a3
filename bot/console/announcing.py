"""Announcements on the command line; each order gives an exit status."""

from __future__ import annotations

import asyncio
import json
import sys
from argparse import Namespace
from datetime import timedelta
from pathlib import Path

from bot.admin.announcing import begun, progress_lines, reach, stopped_words
from bot.announcing import framed
from bot.console.household import Household, console_actor
from bot.console.words import refused
from engine.announcements import EVER, Audience
from engine.announcing import Announcing, Preview


async def announce(arguments: Namespace, house: Household) -> int:
    """Announce a text, or stop an announcement; 1 if nothing came of it, 2 if it is no order."""
    announcing, actor = house.office.announcing, console_actor()
    if arguments.stop:
        done = await announcing.stop(actor, arguments.stop)
        print(stopped_words(arguments.stop, done=done))
        return 0 if done else 1
    since = house.clock.now() - timedelta(days=arguments.active_days) if arguments.active_days else EVER
    audience = Audience(arguments.tier, arguments.platform, since)
    try:
        text = await asyncio.to_thread(written, arguments)
        preview = await announcing.preview(actor, text, audience)
    except ValueError as error:
        return refused(error)
    print(f"{reach(preview)}\n\n{framed(preview.announcement.text)}\n")
    return 0 if arguments.dry_run else await confirmed(arguments, announcing, preview)


def written(arguments: Namespace) -> str:
    """The text; ValueError, in words, where there is none or there are two."""
    if (arguments.text is None) == (arguments.file is None):
        message = "write the text, or name a file with --file"
        raise ValueError(message)
    if arguments.file is None:
        return str(arguments.text)
    try:
        return Path(arguments.file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        message = f"{arguments.file} cannot be read: {error}"
        raise ValueError(message) from error


async def confirmed(arguments: Namespace, announcing: Announcing, preview: Preview) -> int:
    """Send it once the operator says yes."""
    if not preview.announcement.receivers:
        return 1
    if not arguments.yes and not sys.stdin.isatty():
        print("Nothing is sent: add --yes where nobody can be asked.", file=sys.stderr)
        return 2
    if not arguments.yes and (await asyncio.to_thread(input, "Send it? [y/N] ")).strip().casefold() != "y":
        print("Nothing is sent.")
        return 1
    name = await announcing.draft(preview)
    found = await announcing.confirm(console_actor(), name)
    if found:
        print(f"{begun(found)} The running bot sends it; `main.py announcements` tells how far it is.")
    return 0 if found else 1


async def announcements(arguments: Namespace, house: Household) -> int:
    """List announcements and how far they are."""
    found = await house.office.announcing.progress()
    if not arguments.json:
        print("\n".join(progress_lines(found)))
        return 0
    rows = [
        {
            "id": each.announcement.id,
            "stage": each.announcement.stage,
            "by": each.announcement.by,
            "made_at": each.announcement.made_at.isoformat(),
            "text": each.announcement.text,
            "members": {fate.value: count for fate, count in each.fates.items()},
        }
        for each in found
    ]
    print(json.dumps(rows, indent=2))
    return 0
