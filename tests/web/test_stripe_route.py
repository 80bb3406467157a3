"""What Stripe's webhook route takes, and how it refuses the rest."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from io import BytesIO

import pytest
from aiohttp import ClientSession

from engine.errors import BadPayloadError, BadSignatureError, TryAgainError
from engine.facts import BillingEvent, CustomerId, EventId, Mode
from engine.tallies import Delivery
from tests.web.conftest import Start, connect
from webhooks.site import Site, StripeInbox

PATH = "/stripe/webhook"
SIGNED = {"Stripe-Signature": "good"}
MIB = 1024 * 1024


class Inbox:
    """Takes what is signed `good`; keeps each event once; fails when told to."""

    def __init__(self) -> None:
        self.kept: dict[str, BillingEvent] = {}
        self.trouble: Exception | None = None
        self.untaken: list[Delivery] = []
        self.knocks: list[str] = []

    def parse(self, body: bytes, signature: str | None) -> BillingEvent:
        """Read a body as the id of an event."""
        if signature != "good":
            raise BadSignatureError("not ours")
        if body == b"[]":
            raise BadPayloadError("no event")
        at = datetime(2026, 11, 22, tzinfo=UTC)
        return BillingEvent(
            EventId(body.decode()),
            "invoice.paid",
            at,
            Mode.TEST,
            CustomerId("cus_1"),
            relevant=True,
            payload=body,
        )

    async def knocked(self, door: str) -> None:
        """Hear of a bad signature."""
        self.knocks.append(door)

    async def receive(self, event: BillingEvent) -> bool:
        """Keep it, unless it is known."""
        if self.trouble:
            raise self.trouble
        fresh = event.id not in self.kept
        self.kept[event.id] = event
        return fresh


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
async def client(start: Start, inbox: Inbox) -> ClientSession:
    stripe = StripeInbox(inbox.parse, inbox.receive, inbox.untaken.append)
    return await start(Site("http://127.0.0.1", stripe=stripe, knocked=inbox.knocked))


async def test_a_signed_event_is_kept_as_the_bytes_it_came_in(client: ClientSession, inbox: Inbox) -> None:
    async with client.post(PATH, data=b"evt_1", headers=SIGNED) as answer:
        assert answer.status == 200
        assert await answer.json() == {"received": True, "changed": True}
    assert inbox.kept["evt_1"].payload == b"evt_1"


async def test_a_repeated_event_is_taken_and_changes_nothing(client: ClientSession) -> None:
    await client.post(PATH, data=b"evt_1", headers=SIGNED)
    async with client.post(PATH, data=b"evt_1", headers=SIGNED) as answer:
        assert answer.status == 200
        assert await answer.json() == {"received": True, "changed": False}


@pytest.mark.parametrize("headers", [{}, {"Stripe-Signature": "bad"}, {"Stripe-Signature": "g\u00f6\u00f6d"}])
async def test_what_is_not_signed_by_stripe_is_refused(
    client: ClientSession, inbox: Inbox, headers: dict[str, str]
) -> None:
    async with client.post(PATH, data=b"evt_1", headers=headers) as answer:
        assert answer.status == 400
        assert "Stripe-Signature" in (await answer.json())["error"]
    assert not inbox.kept


async def test_a_signed_body_that_is_no_event_is_refused(client: ClientSession) -> None:
    async with client.post(PATH, data=b"[]", headers=SIGNED) as answer:
        assert answer.status == 400
        assert "not a Stripe event" in (await answer.json())["error"]


async def test_a_mebibyte_is_taken_and_one_byte_more_is_not(client: ClientSession) -> None:
    async with client.post(PATH, data=BytesIO(b"e" * MIB), headers=SIGNED) as answer:
        assert answer.status == 200
    async with client.post(PATH, data=BytesIO(b"e" * (MIB + 1)), headers=SIGNED) as answer:
        assert answer.status == 413
        assert "1024 KiB" in (await answer.json())["error"]


async def test_a_body_announced_as_too_long_is_refused_before_it_is_sent(client: ClientSession) -> None:
    reader, writer = await connect(client)
    writer.write(b"POST /stripe/webhook HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000\r\n\r\n")
    assert b" 413 " in await reader.readline()
    writer.close()
    await writer.wait_closed()


async def test_a_body_of_unknown_length_is_cut_off_where_it_becomes_too_long(client: ClientSession) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(64):
            yield b"e" * 65536

    async with client.post(PATH, data=endless(), headers=SIGNED) as answer:
        assert answer.status == 413


async def test_compressed_bodies_are_never_unfolded(client: ClientSession, inbox: Inbox) -> None:
    headers = {"Stripe-Signature": "bad", "Content-Encoding": "gzip"}
    for body in (b"not gzip at all", gzip.compress(b"e" * (4 * MIB))):
        async with client.post(PATH, data=body, headers=headers) as answer:
            assert answer.status == 400
    assert not inbox.kept


async def test_a_body_that_breaks_off_leaves_no_trace(
    start: Start, inbox: Inbox, caplog: pytest.LogCaptureFixture
) -> None:
    client = await start(Site("http://127.0.0.1", stripe=StripeInbox(inbox.parse, inbox.receive)))
    _, writer = await connect(client)
    writer.write(b"POST /stripe/webhook HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nevt")
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    async with client.get("/health") as answer:
        assert answer.status == 200
    assert not inbox.kept
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


async def test_stripe_is_asked_to_come_again_when_the_database_is_away(
    client: ClientSession, inbox: Inbox
) -> None:
    inbox.trouble = TryAgainError("database is away", retry_after=7)
    async with client.post(PATH, data=b"evt_1", headers=SIGNED) as answer:
        assert answer.status == 503
        assert answer.headers["Retry-After"] == "7"
    inbox.trouble = None
    async with client.post(PATH, data=b"evt_1", headers=SIGNED) as answer:
        assert (await answer.json())["changed"] is True


async def test_an_unforeseen_error_is_logged_and_stripe_comes_again(
    client: ClientSession, inbox: Inbox, caplog: pytest.LogCaptureFixture
) -> None:
    inbox.trouble = KeyError("a mistake of ours")
    async with client.post(PATH, data=b"evt_1", headers=SIGNED) as answer:
        assert answer.status == 503
        assert "mistake" not in await answer.text()
    assert "POST /stripe/webhook failed" in caplog.text


async def test_only_post_is_taken(client: ClientSession) -> None:
    async with client.get(PATH) as answer:
        assert answer.status == 405
        assert answer.headers["Allow"] == "POST"
        assert "method" in (await answer.json())["error"]


async def test_without_billing_the_route_says_that_it_is_off(start: Start) -> None:
    client = await start(Site("http://127.0.0.1"))
    async with client.post(PATH, data=b"evt_1", headers=SIGNED) as answer:
        assert answer.status == 404
        assert "Billing is off" in (await answer.json())["error"]


async def test_only_a_bad_signature_is_a_knock(client: ClientSession, inbox: Inbox) -> None:
    for body, headers in ((b"evt_1", {}), (b"evt_1", {"Stripe-Signature": "bad"}), (b"[]", SIGNED)):
        async with client.post(PATH, data=body, headers=headers) as answer:
            assert answer.status == 400
    assert inbox.knocks == [PATH, PATH]


async def test_what_is_not_taken_is_counted_by_why(client: ClientSession, inbox: Inbox) -> None:
    await client.post(PATH, data=b"evt_1", headers=SIGNED)
    assert inbox.untaken == []
    await client.post(PATH, data=b"evt_1", headers={"Stripe-Signature": "bad"})
    await client.post(PATH, data=b"[]", headers=SIGNED)
    inbox.trouble = TryAgainError("the database is away")
    await client.post(PATH, data=b"evt_2", headers=SIGNED)
    assert inbox.untaken == [Delivery.SIGNATURE, Delivery.PAYLOAD, Delivery.AWAY]
