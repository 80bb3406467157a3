"""What the operator orders on the command line about the data that is kept."""

from __future__ import annotations

from argparse import Namespace

from bot.console.household import console_actor
from engine.backups import Backups


async def backup(arguments: Namespace, backups: Backups) -> int:
    """Copy the database and say what is in the copy."""
    made = await backups.make(console_actor(), arguments.file, packed=arguments.gzip, keep=arguments.keep)
    rows = sum(made.manifest.rows.values())
    print(f"{made.file}: {made.size:,} bytes, schema {made.manifest.schema}, {rows:,} rows; checked.")
    for file in made.dropped:
        print(f"Removed {file}.")
    return 0


async def restore(arguments: Namespace, backups: Backups) -> int:
    """Put a backup in the database's place, and say what comes next."""
    done = await backups.restore(console_actor(), arguments.file)
    made = f", made {done.made_at:%Y-%m-%d %H:%M} UTC" if done.made_at else ""
    print(f"{arguments.file}{made} is the database now.")
    if done.made_at is None:
        print("There was no manifest beside it, so its rows could not be counted against one.")
    if done.migrated:
        print(f"Brought to this version's schema by {', '.join(done.migrated)}.")
    if done.aside:
        print(f"The one before it is {done.aside}; remove it once you do not want it any more.")
    print(f"{done.due} customers will be read from Stripe as soon as the bot runs.")
    print("Then run `main.py reconcile`: it finds who paid after the backup was made.")
    print("Whoever was erased since has to be erased again.")
    return 0
