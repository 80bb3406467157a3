"""What the operator orders on the command line; each order gives an exit status."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from functools import partial

from bot.console import announcing, brief, care, entering, finding, given, halting, shelf
from bot.console.events import events
from bot.console.household import Household, console_actor
from bot.console.plainly import fact_lines
from bot.console.report import stats_json, stats_lines
from bot.console.trial import Verdict, ask_all
from bot.console.what_if import what_if
from bot.console.words import dead_lines, findings_lines, refused, retried_words
from engine.audit import Deed
from engine.facts import DisputeStage
from engine.members import plain
from engine.ports import Model, PriceBook
from engine.reports import last_days
from engine.settings import Settings
from engine.simulated import SimulatedDeed, SimulatedOrders


def slack_manifest(settings: Settings) -> int:
    """Print the Slack app manifest."""
    from bot.slack.manifest import manifest_for  # noqa: PLC0415 - the SDK is for those who use it

    print(manifest_for(settings))
    return 0


async def models(
    arguments: Namespace, settings: Settings, vendors: Mapping[str, Model], book: PriceBook, now: datetime
) -> int:
    """List the models of config.toml; with --check ask them, 1 if one does not answer."""
    shown = shelf.wares(settings, book, now)
    if arguments.check is None:
        print(
            json.dumps(shelf.as_json(shown), indent=2)
            if arguments.json
            else "\n".join(shelf.table(shown, now))
        )
        return 0
    named = [each for each in shown if arguments.check in {"", each.spec.name}]
    if not named:
        names = ", ".join(each.spec.name for each in shown)
        print(f"There is no model {arguments.check!r} in config.toml; there are {names}.", file=sys.stderr)
        return 2
    return await checked(named, settings, vendors, alone=bool(arguments.check), as_json=arguments.json)


async def checked(
    shown: Sequence[shelf.Ware],
    settings: Settings,
    vendors: Mapping[str, Model],
    *,
    alone: bool,
    as_json: bool,
) -> int:
    """Ask models and say what came of it; one whose vendor is off fails if it was asked for alone."""
    silent = [Verdict(each.spec.name, shelf.off(each)) for each in shown if each.wants is not None]

    def tell(verdict: Verdict, word: str = "mend") -> None:
        if not as_json:
            print(
                f"{word if verdict.trouble else 'ok':<6}{verdict.name}  {verdict.trouble or ''}".rstrip(),
                flush=True,
            )

    for verdict in silent:
        tell(verdict, "mend" if alone else "off")
    specs = [each.spec for each in shown if each.wants is None]
    verdicts = await ask_all(specs, vendors, settings.vendor_keys, tell)
    wrong = [each for each in (*verdicts, *(silent if alone else ())) if each.trouble]
    if as_json:
        print(json.dumps([verdict_json(each, verdicts) for each in (*verdicts, *silent)], indent=2))
    else:
        print(f"{len(verdicts)} asked, {len(wrong)} to mend, {len(silent)} not asked.")
    return 1 if wrong else 0


def verdict_json(verdict: Verdict, asked: Sequence[Verdict]) -> Mapping[str, object]:
    """What came of one model."""
    return {
        "name": verdict.name,
        "asked": verdict in asked,
        "ok": verdict.trouble is None,
        "trouble": verdict.trouble,
    }


async def why(arguments: Namespace, house: Household) -> int:
    """Tell a person's tier, its reason, and what is used and left."""
    facts = plain(await house.office.steering.why(console_actor(), arguments.person))
    if arguments.json:
        print(json.dumps(facts, indent=2))
        return 0
    print("\n".join(fact_lines(facts)))
    return 0


async def forgive(arguments: Namespace, house: Household) -> int:
    """Let a person's disputes count no more."""
    forgiven = await house.subscriptions.forgive(arguments.person, console_actor())
    print(f"{forgiven} forgiven." if forgiven else f"Nothing stands against {arguments.person}.")
    return 0


async def reconcile(arguments: Namespace, house: Household) -> int:
    """Compare everything with Stripe and mend what differs; or list or retry what was given up."""
    work, subscriptions = house.reconcile, house.subscriptions
    mode, note = subscriptions.mode, partial(house.office.steering.note, console_actor())
    if arguments.retry_dead:
        letter = None if arguments.retry_dead == "all" else arguments.retry_dead
        return told_retried(await house.office.steering.retry(console_actor(), mode, letter), letter)
    if arguments.dead:
        print("\n".join(dead_lines(await house.office.steering.dead_letters(console_actor(), mode))))
        return 0
    await note(Deed.RECONCILE, detail="dry run" if arguments.dry_run else "")
    findings = await (work.compare() if arguments.dry_run else work.run())
    while not arguments.dry_run and await subscriptions.work():
        pass
    print("\n".join(findings_lines(findings, dry_run=arguments.dry_run)))
    return 1 if arguments.dry_run and findings.differences else 0


def told_retried(retried: int, letter: str | None) -> int:
    """Say how much is tried again; 2 if nothing has the id that was asked for."""
    missed = bool(letter and not retried)
    print(retried_words(retried, letter, "--dead"), file=sys.stderr if missed else sys.stdout)
    return 2 if missed else 0


async def report(arguments: Namespace, house: Household) -> int:
    """Print revenue, what moved it, churn, funnel and tiers of a span of time."""
    if arguments.send or arguments.daily or arguments.to:
        return await brief.report(arguments, house)
    since, until = arguments.month or last_days(arguments.days, house.clock.now())
    await house.office.steering.note(console_actor(), Deed.STATS, detail=f"{since:%F} to {until:%F}")
    stats = await house.office.reports.get_subscription_stats(since, until)
    print(json.dumps(stats_json(stats), indent=2) if arguments.json else "\n".join(stats_lines(stats)))
    return 0


async def simulate(arguments: Namespace, house: Household) -> int:
    """Play with simulated payments; refused where real ones are taken."""
    play = house.simulation
    if play is None:
        print("Payments are real here: STRIPE_SECRET_KEY is set. Nothing was done.", file=sys.stderr)
        return 2
    try:
        print(await played(arguments, play))
    except ValueError as error:
        return refused(error)
    return 0


async def played(arguments: Namespace, play: SimulatedOrders) -> str:
    """What became of what was played."""
    match arguments.act:
        case "advance":
            return await play.advance(arguments.by)
        case "status":
            return await play.status(arguments.person)
        case "dispute":
            return await play.dispute(arguments.person, DisputeStage(arguments.stage))
    return await play.do(arguments.person, SimulatedDeed(arguments.act))


WITHIN: Mapping[str, Callable[[Namespace, Household], Awaitable[int]]] = {
    "why": why,
    "forgive": forgive,
    "reconcile": reconcile,
    "report": report,
    "events": events,
    "simulate": simulate,
    "export": care.export,
    "erase": care.erase,
    "dashboard": entering.dashboard,
    "announce": announcing.announce,
    "announcements": announcing.announcements,
    "find": finding.find,
    "reload": finding.reload,
    "block": halting.block,
    "unblock": halting.unblock,
    "blocked": halting.blocked,
    "pause": halting.pause,
    "resume": halting.resume,
    "pauses": halting.pauses,
    "grant": given.grant,
    "revoke": given.revoke,
    "gift": given.gift,
    "gifts": given.gifts,
    "credit": given.credit,
    "uncredit": given.uncredit,
    "what-if": what_if,
}
"""The commands that need everything put together, by name."""
