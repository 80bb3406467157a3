"""What the operator orders on the command line about the data that is kept."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from bot.console.dossier import Dossier
from bot.console.household import Household, console_actor
from engine.audit import Deed, Entry
from engine.backups import Backups
from engine.domain import Person
from engine.erasing import NotErased
from engine.erasure import Erased, Fate, Trace


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
    print("Where Stripe's meter has more than is known here, that may be use since the backup.")
    print("Whoever was erased since has to be erased again.")
    return 0


async def export(arguments: Namespace, house: Household) -> int:
    """Write all that is kept of a person into a file."""
    person, now = arguments.person, house.clock.now()
    file = arguments.output or Path(f"{str(person).replace(':', '-').replace('/', '-')}.zip")
    if file.exists():
        print(f"{file} exists already: name another file with -o.", file=sys.stderr)
        return 2
    dossier = Dossier(house.store, person, now, await house.chat.keeping.everything(person))
    if not await dossier.known():
        print(f"Nothing is kept of {person}.", file=sys.stderr)
        return 1
    entry = Entry(now, console_actor(), Deed.EXPORT, str(person))
    await house.store.transact(lambda tx: tx.note(entry))
    await dossier.write(file)
    print(
        f"{file}: {sum(dossier.rows.values()):,} rows of {len(dossier.rows)} tables, {dossier.files} files."
    )
    if unopened := dossier.unopened:
        print(f"{unopened} questions that wait could not be opened: their PROMPT_KEY is gone.")
    return 0


async def erase(arguments: Namespace, house: Household) -> int:
    """Erase a person, and show what was done and that nothing is left."""
    person, erasing = arguments.person, house.members.erasing
    plan = await erasing.plan(person)
    if isinstance(plan, NotErased):
        print(f"Nothing is kept of {person}.", file=sys.stderr)
        return 1
    print("\n".join(trace_lines(plan.traces)))
    if plan.running:
        print(f"A subscription would go on charging: {', '.join(sub.id for sub in plan.running)}.")
    if arguments.dry_run:
        print("Nothing was changed (dry run).")
        return 0
    if plan.running and not arguments.cancel:
        print("Nothing was erased: let them cancel first, or end it at once with --cancel.", file=sys.stderr)
        return 1
    if not arguments.yes and not agreed(str(person)):
        print("Nothing was erased.", file=sys.stderr)
        return 1
    if plan.running:
        await end_at_once(house, person)
    done = await erasing.erase(console_actor(), person, house.chat.stop_all)
    if isinstance(done, NotErased):
        print("Nothing was erased: Stripe has not ended the subscription yet. Try again.", file=sys.stderr)
        return 1
    print("\n".join(done_lines(done)))
    searched, found = await erasing.search(done, person)
    what = f"FOUND in {', '.join(found)}: tell whoever maintains this program" if found else "nothing found"
    print(f"Searched again, {searched} columns: {what}.")
    return 1 if found else 0


async def end_at_once(house: Household, person: Person) -> None:
    """End what would go on charging, by duties that are worked here until none is due; read the result."""
    await house.members.erasing.end_subscriptions(person)
    while await house.duties.work():
        pass
    while await house.subscriptions.work():
        pass


def agreed(name: str) -> bool:
    """Whether whoever sits at the terminal means it; nobody does where there is none."""
    if not sys.stdin.isatty():
        print("Say --yes where nobody can be asked.", file=sys.stderr)
        return False
    return input(f"This cannot be undone. Type {name} to erase them: ").strip() == name


def trace_lines(traces: Sequence[Trace]) -> list[str]:
    """What is kept, by table, with what becomes of it."""
    rows = [f"{each.table:<20}{each.rows:>9,}  {each.fate:<9}  {each.why}".rstrip() for each in traces]
    return [f"{'table':<20}{'rows':>9}", *rows]


def done_lines(done: Erased) -> list[str]:
    """What was done."""
    kept = sum(each.rows for each in done.traces if each.fate is not Fate.DELETED)
    gone = sum(each.rows for each in done.traces if each.fate is Fate.DELETED)
    return [
        f"Erased: {gone:,} rows deleted, {kept:,} kept without their name, for the reasons above.",
        f"In the audit log, and where a name has to stand, they are {done.name}.",
        "Backups made before still hold them; invoices stay with Stripe, as the accounts require.",
    ]
