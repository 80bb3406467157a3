"""Sets a Stripe account up for config.toml: plans what is missing, does it, and can be run at any time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from billing.client import Patience, StripeCaller
from billing.keys import mode_of
from billing.rights import WRITE, rightly
from billing.setup_endpoints import plan_destination, plan_endpoint
from billing.setup_named import plan_named
from billing.setup_portal import plan_barred_portal, plan_portal
from billing.setup_prices import plan_prices
from billing.setup_products import plan_meter, plan_products
from billing.skew import skew_of
from billing.steps import Part, Step
from billing.wanted import Wanted, wanted_of
from engine.errors import OutsideError
from engine.facts import Mode
from engine.ports import Clock
from engine.settings import Settings

PATIENCE = Patience(whole=30.0)

PlanPart = Callable[[StripeCaller, Wanted], Awaitable[Part]]


PARTS: Sequence[PlanPart] = (
    plan_meter,
    plan_products,
    plan_prices,
    plan_portal,
    plan_barred_portal,
    plan_endpoint,
    plan_destination,
    plan_named,
)
"""What an account consists of; later parts build on earlier ones."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What there is to do, in order, and what is worth knowing."""

    steps: tuple[Step, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many steps were done, the signing secrets that came up (they are shown once), and what ended it."""

    done: int
    secrets: tuple[str, ...]
    error: OutsideError | None = None


async def plan(caller: StripeCaller, wanted: Wanted) -> Plan:
    """Read the account and compare; changes nothing. OutsideError by remedy, MissingRightError among them."""
    parts = [await read(caller, wanted) for read in PARTS]
    return Plan(
        tuple(step for part in parts for step in part.steps),
        tuple(note for part in parts for note in part.notes),
    )


async def carry_out(caller: StripeCaller, planned: Plan) -> Outcome:
    """Do the steps in order, as far as Stripe lets us; begun again, nothing is made twice."""
    secrets: list[str] = []
    for done, step in enumerate(planned.steps):
        try:
            secret = await rightly(step.right, WRITE, step.act(caller))
        except OutsideError as error:
            return Outcome(done, tuple(secrets), error)
        if secret:
            secrets.append(secret)
    return Outcome(len(planned.steps), tuple(secrets))


async def set_up(
    settings: Settings,
    clock: Clock,
    *,
    dry_run: bool,
    say: Callable[[str], None],
    keep: Callable[[str], str] | None = None,
) -> int:
    """Set up the account of STRIPE_SECRET_KEY and tell about it line by line; the exit status.

    `keep` writes new signing secrets down, and says what came of that.
    """
    if settings.stripe is None:
        say(
            "STRIPE_SECRET_KEY is not set. Copy a secret or restricted key from Stripe's dashboard into .env."
        )
        return 1
    key = settings.stripe.secret_key.get_secret_value()
    caller = StripeCaller(key, settings.stripe.api_base, PATIENCE)
    wanted = wanted_of(settings, mode_of(key))
    say(f"Stripe in {wanted.mode} mode{' (real money)' if wanted.mode is Mode.LIVE else ''}:")
    try:
        planned = await plan(caller, wanted)
        tell(planned, await skew_of(caller, clock), say)
        if dry_run or not planned.steps:
            return 0
        outcome = await carry_out(caller, planned)
    except OutsideError as error:
        say(f"Stopped: {error}")
        return 1
    finally:
        await caller.close()
    if keep and outcome.secrets and not settings.stripe.webhook_secrets:
        say(keep(",".join(outcome.secrets)))
    else:
        tell_secrets(outcome.secrets, say, beside=bool(settings.stripe.webhook_secrets))
    return tell_end(outcome, len(planned.steps), say)


def tell(planned: Plan, late: str | None, say: Callable[[str], None]) -> None:
    """What there is to do."""
    for step in planned.steps:
        say(f"  {step.sentence}")
    for note in (*([late] if late else []), *planned.notes):
        say(f"  note: {note}")
    say(f"{len(planned.steps)} to do." if planned.steps else "Nothing to do: the account is as it should be.")


def tell_secrets(secrets: Sequence[str], say: Callable[[str], None], *, beside: bool) -> None:
    """Signing secrets, which Stripe gives away once; `beside` others that are in use."""
    if not secrets:
        return
    say("Stripe shows these signing secrets only now. Put this into .env and start anew:")
    say(f"STRIPE_WEBHOOK_SECRET={','.join(secrets)}")
    if beside:
        say("Leave those that are set already behind them, divided by commas, while their endpoints last.")


def tell_end(outcome: Outcome, wanted_steps: int, say: Callable[[str], None]) -> int:
    """How it went; the exit status."""
    if outcome.error:
        say(f"Stopped after {outcome.done} of {wanted_steps}: {outcome.error}")
        say("Mend that and run this again: what is done already is not done twice.")
        return 1
    say(f"Done: {outcome.done} of {wanted_steps}.")
    return 0
