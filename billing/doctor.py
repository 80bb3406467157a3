"""Looks at a Stripe account the way the product will use it, and says what to mend."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import stripe

from billing.catalogue_setup import PARTS, PlanPart
from billing.client import StripeCaller
from billing.keys import PREFIXES, RESTRICTED, mode_of
from billing.rights import PROBES, READ, MissingRightError, Probe, Right, rightly
from billing.setup_named import named_faults, read_named
from billing.skew import skew_of
from billing.wanted import Wanted, unreachable, wanted
from engine.domain import Tier, TierName
from engine.errors import OutsideError, TellOperatorError
from engine.facts import Mode
from engine.ports import Clock
from engine.settings import StripeSettings
from engine.terms import Policy

Inquiry = Callable[[], Awaitable[list[str]]]

SET_UP = "Run `python main.py stripe-setup`."
IN_TEST_MODE = (
    "Stripe is in test mode while {url} is public: members pay with test cards, no money moves. Set a live "
    "key, and set up Stripe with it, when they should pay."
)
SECRETS_NEEDED = 2
"""The webhook endpoint and the destination of thin events sign with a secret each."""


@dataclass(frozen=True, slots=True)
class Premises:
    """What is sold, where we are and what time it is."""

    tiers: Mapping[TierName, Tier]
    policy: Policy
    app_url: str
    clock: Clock


async def check_stripe(caller: StripeCaller, settings: StripeSettings, premises: Premises) -> list[str]:
    """One sentence with its mend for each thing that is wrong; stops early if Stripe cannot be asked."""
    key = settings.secret_key.get_secret_value()
    needed = wanted(premises.tiers, premises.policy, premises.app_url, settings.prices, mode_of(key))
    found = list(of_settings(settings, needed))
    try:
        async for words in _answers(_inquiries(caller, key, needed, premises.clock)):
            found.append(words)  # noqa: PERF401 - what was found before Stripe fell silent is kept
    except OutsideError as error:
        found.append(_unasked(error))
    return list(dict.fromkeys(found))


def notes_on(settings: StripeSettings, app_url: str) -> list[str]:
    """What is worth knowing and nothing to mend."""
    test = mode_of(settings.secret_key.get_secret_value()) is Mode.TEST
    if test and app_url.startswith("https://") and not unreachable(app_url, Mode.TEST):
        return [IN_TEST_MODE.format(url=app_url)]
    return []


def of_settings(settings: StripeSettings, needed: Wanted) -> Iterator[str]:
    """What can be seen without asking Stripe."""
    if not settings.secret_key.get_secret_value().startswith(PREFIXES):
        yield "STRIPE_SECRET_KEY is no secret or restricted key. Use the one that begins with sk_ or rk_."
    secrets = [secret.get_secret_value() for secret in settings.webhook_secrets]
    if not secrets:
        yield f"STRIPE_WEBHOOK_SECRET is missing. {SET_UP}"
    elif not all(secret.startswith("whsec_") for secret in secrets):
        yield "STRIPE_WEBHOOK_SECRET holds something else than signing secrets. Each begins with whsec_."
    elif needed.address and needed.metered and len(secrets) < SECRETS_NEEDED:
        yield (
            "STRIPE_WEBHOOK_SECRET holds one signing secret; the thin event destination signs with another. "
            "Add that of the other, with a comma between them."
        )
    why = unreachable(needed.app_url, needed.mode)
    if why and needed.mode is Mode.LIVE:
        yield f"The key is a live one, but {why}. Set APP_URL to the public https address."


async def _answers(inquiries: Iterable[Inquiry]) -> AsyncIterator[str]:
    """What Stripe's answers show; a right that is missing hides nothing else."""
    for ask in inquiries:
        try:
            found = await ask()
        except MissingRightError as error:
            found = [str(error)]
        for words in found:
            yield words


def _inquiries(caller: StripeCaller, key: str, needed: Wanted, clock: Clock | None) -> Iterator[Inquiry]:
    if clock is not None:
        yield partial(_of_clock, caller, clock)
    for read in PARTS:
        yield partial(_of_part, read, caller, needed)
    yield partial(_of_named, caller, needed)
    if key.startswith(RESTRICTED):
        for right, probe in PROBES:
            yield partial(_of_right, right, probe, caller)


async def _of_clock(caller: StripeCaller, clock: Clock) -> list[str]:
    late = await skew_of(caller, clock)
    return [late] if late else []


async def _of_part(read: PlanPart, caller: StripeCaller, needed: Wanted) -> list[str]:
    return [f"{step.fault} {SET_UP}" for step in (await read(caller, needed)).steps if step.fault]


async def _of_named(caller: StripeCaller, needed: Wanted) -> list[str]:
    return list(named_faults(needed, await read_named(caller, needed)))


async def _of_right(right: Right, probe: Probe, caller: StripeCaller) -> list[str]:
    await rightly(right, READ, caller.call(partial(probe, caller)))
    return []


def _unasked(error: OutsideError) -> str:
    """Why Stripe could not be asked, and what to do."""
    told = str(error).rstrip(".")
    if isinstance(error.__cause__, stripe.AuthenticationError):
        return f"{told}. Check STRIPE_SECRET_KEY."
    if isinstance(error, TellOperatorError):
        return f"{told}. The rest could not be checked."
    return f"{told}. Check the network and STRIPE_API_BASE, then try again."
