"""Where Stripe delivers events: a webhook endpoint and a destination of thin events at one address."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import cast

import stripe

from billing.client import StripeCaller
from billing.rights import READ, Right, rightly
from billing.snapshots import Fields, plain
from billing.steps import Part, Step, key_for, once
from billing.wanted import APP, MARK, WEBHOOK_PATH, Wanted, unreachable
from billing.webhook import SNAPSHOT_EVENTS, THIN_EVENTS
from engine.errors import GoneError

PAGE = 100
THIN_NAME = f"{APP} meter errors"
URL, SECRET = "webhook_endpoint.url", "webhook_endpoint.signing_secret"


def left_out(wanted: Wanted) -> str:
    """Why there are no endpoints, and what to do instead."""
    why = unreachable(wanted.app_url, wanted.mode)
    return (
        f"The webhook endpoints are left out: {why}. Set APP_URL to the public https address and run this "
        f"again; on your own machine run `stripe listen --forward-to {wanted.app_url}{WEBHOOK_PATH}`."
    )


async def plan_endpoint(caller: StripeCaller, wanted: Wanted) -> Part:
    """One endpoint at our address with exactly our events and the SDK's API version."""
    if wanted.address is None:
        return Part(notes=(left_out(wanted),))
    address = wanted.address
    listed = await read_endpoints(caller)
    here = [each for each in listed if each["url"] == address and not each.get("application")]
    fitting = [each for each in here if fits(each, address)]
    kept = min(fitting, key=lambda each: not ours(each), default=None)
    steps = [_create_endpoint(address, here)] if kept is None else list(_mend_endpoint(kept))
    others = [each for each in here if kept is None or each["id"] != kept["id"]]
    steps += [_delete_endpoint(each) for each in others if ours(each)]
    return Part(tuple(steps), tuple(_strangers(listed, others, address)))


async def read_endpoints(caller: StripeCaller) -> list[Fields]:
    """All webhook endpoints."""

    async def every() -> list[Fields]:
        page = await caller.sdk.v1.webhook_endpoints.list_async({"limit": PAGE})
        return [plain(each) async for each in page.auto_paging_iter()]

    return await rightly(Right.ENDPOINTS, READ, caller.call(every))


def fits(endpoint: Fields, address: str) -> bool:
    """Whether an endpoint is at the address with the SDK's API version, which cannot be changed later."""
    return bool(endpoint["url"] == address and endpoint.get("api_version") == stripe.api_version)


def ours(made: Fields) -> bool:
    """Whether we made or took it."""
    return MARK.items() <= (made.get("metadata") or {}).items()


def _strangers(listed: Sequence[Fields], others: Sequence[Fields], address: str) -> Iterable[str]:
    for each in others:
        if not ours(each):
            yield (
                f"The endpoint {each['id']} at {address} was made by hand and sends events twice. "
                "Delete it in Stripe's dashboard once the new signing secret is in use."
            )
    for each in listed:
        if ours(each) and each["url"] != address:
            yield f"Another endpoint of ours is at {each['url']}. Delete it in Stripe if nothing runs there."


def _create_endpoint(address: str, here: Sequence[Fields]) -> Step:
    params = cast(
        "stripe.params.WebhookEndpointCreateParams",
        {
            "url": address,
            "enabled_events": sorted(SNAPSHOT_EVENTS),
            "api_version": stripe.api_version,
            "description": APP,
            "metadata": MARK,
        },
    )

    async def make(caller: StripeCaller, key: str) -> stripe.WebhookEndpoint:
        return await caller.call(
            lambda: caller.sdk.v1.webhook_endpoints.create_async(params, {"idempotency_key": key})
        )

    async def act(caller: StripeCaller) -> str | None:
        async def exists(made: stripe.WebhookEndpoint) -> bool:
            listed = await read_endpoints(caller)
            return any(each["id"] == made.id and fits(each, address) for each in listed)

        return (await once(key_for("endpoint", params), partial(make, caller), exists)).secret

    old = f", in place of {here[0]['id']} with another API version" if here else ""
    fault = f"There is no webhook endpoint at {address}" + (" with the API version in use." if here else ".")
    return Step(f"create webhook endpoint {address}{old}", fault, Right.ENDPOINTS, act)


def _mend_endpoint(found: Fields) -> Iterable[Step]:
    missing, more = _difference(found, SNAPSHOT_EVENTS)
    off = found["status"] != "enabled"
    if not (missing or more or off or not ours(found)):
        return

    async def act(caller: StripeCaller) -> None:
        params = cast(
            "stripe.params.WebhookEndpointUpdateParams",
            {"enabled_events": sorted(SNAPSHOT_EVENTS), "disabled": False, "metadata": MARK},
        )
        await caller.call(lambda: caller.sdk.v1.webhook_endpoints.update_async(found["id"], params))

    fault = _fault(f"The webhook endpoint {found['id']}", missing, off=off)
    yield Step(
        f"update webhook endpoint {found['id']}: enabled, {len(SNAPSHOT_EVENTS)} events",
        fault,
        Right.ENDPOINTS,
        act,
    )


def _difference(found: Fields, events: Iterable[str]) -> tuple[set[str], set[str]]:
    """The events that an endpoint lacks, and those that it need not have."""
    has, needed = set(found["enabled_events"]), set(events)
    return (set() if "*" in has else needed - has), has - needed


def _fault(what: str, missing: set[str], *, off: bool) -> str:
    if off:
        return f"{what} is disabled."
    return f"{what} lacks the events {', '.join(sorted(missing))}." if missing else ""


def _delete_endpoint(found: Fields) -> Step:
    async def act(caller: StripeCaller) -> None:
        try:
            await caller.call(lambda: caller.sdk.v1.webhook_endpoints.delete_async(found["id"]))
        except GoneError:
            return

    return Step(f"delete webhook endpoint {found['id']}, which is replaced", "", Right.ENDPOINTS, act)


async def plan_destination(caller: StripeCaller, wanted: Wanted) -> Part:
    """One destination of thin events at the same address: meters complain in no other way."""
    if wanted.address is None or not wanted.metered:
        return Part()
    address = wanted.address
    here = await _destinations_at(caller, address)
    if not here:
        return Part((_create_destination(address),))
    return Part(tuple(_mend_destination(min(here, key=lambda each: not ours(each)))))


async def _destinations_at(caller: StripeCaller, address: str) -> list[Fields]:
    """The destinations of thin events at an address, which Stripe shows on demand only."""

    async def every() -> list[Fields]:
        page = await caller.sdk.v2.core.event_destinations.list_async({"include": [URL], "limit": PAGE})
        return [plain(each) async for each in page.auto_paging_iter()]

    listed = await rightly(Right.DESTINATIONS, READ, caller.call(every))
    thin = (each for each in listed if each["event_payload"] == "thin")
    return [each for each in thin if (each.get("webhook_endpoint") or {}).get("url") == address]


def _create_destination(address: str) -> Step:
    events = sorted(THIN_EVENTS)

    async def make(caller: StripeCaller, key: str) -> stripe.v2.core.EventDestination:
        return await caller.call(
            lambda: caller.sdk.v2.core.event_destinations.create_async(
                {
                    "name": THIN_NAME,
                    "type": "webhook_endpoint",
                    "event_payload": "thin",
                    "enabled_events": events,
                    "webhook_endpoint": {"url": address},
                    "include": [SECRET],
                    "metadata": dict(MARK),
                },
                {"idempotency_key": key},
            )
        )

    async def act(caller: StripeCaller) -> str | None:
        async def exists(made: stripe.v2.core.EventDestination) -> bool:
            return any(each["id"] == made.id for each in await _destinations_at(caller, address))

        made = await once(key_for("destination", [address, *events]), partial(make, caller), exists)
        return made.webhook_endpoint.signing_secret if made.webhook_endpoint else None

    fault = (
        f"There is no destination of thin events at {address}, so complaints about metered use are not heard."
    )
    return Step(f"create thin event destination {address}", fault, Right.DESTINATIONS, act)


def _mend_destination(found: Fields) -> Iterable[Step]:
    missing, more = _difference(found, THIN_EVENTS)
    off = found["status"] != "enabled"
    if not (missing or more or off or not ours(found)):
        return

    async def act(caller: StripeCaller) -> None:
        destinations = caller.sdk.v2.core.event_destinations
        await caller.call(
            lambda: destinations.update_async(
                found["id"], {"enabled_events": sorted(THIN_EVENTS), "metadata": {**MARK}}
            )
        )
        if off:
            await caller.call(lambda: destinations.enable_async(found["id"]))

    fault = _fault(f"The thin event destination {found['id']}", missing, off=off)
    sentence = f"update thin event destination {found['id']}: enabled, {len(THIN_EVENTS)} events"
    yield Step(sentence, fault, Right.DESTINATIONS, act)
