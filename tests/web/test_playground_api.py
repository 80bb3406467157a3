"""The playground's JSON interface and its event stream, as docs/playground-api.md describes them."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientResponse, ClientSession

from bot.local.feed import Feed
from engine.domain import Person
from engine.errors import TryAgainError
from tests.fakes.local_surface import MemorySurface
from tests.fakes.pulse import PATIENCE
from tests.web.conftest import Start
from webhooks import stream
from webhooks.server import build, serve
from webhooks.site import Site

API = "/playground/api"
HELLO = {"person": "alice", "room": "general", "text": "hello"}


@pytest.fixture
async def client(start: Start, surface: MemorySurface) -> ClientSession:
    return await start(Site("http://127.0.0.1", playground=surface))


async def refused(client: ClientSession, path: str, body: object, status: int = 400) -> str:
    async with client.post(f"{API}{path}", json=body) as answer:
        assert answer.status == status
        return str((await answer.json())["error"])


async def next_event(answer: ClientResponse) -> tuple[str, int, Any]:
    """The next event's name, id and data; comments are skipped."""
    found: dict[str, str] = {}
    while line := (await answer.content.readline()).decode().rstrip("\n"):
        name, _, value = line.partition(": ")
        found[name] = value
    if "data" not in found:
        return await next_event(answer)
    return found["event"], int(found["id"]), json.loads(found["data"])


async def test_the_interface_describes_itself_with_its_version(client: ClientSession) -> None:
    async with client.get(API) as answer:
        told = await answer.json()
    assert told["version"] == 1
    assert told["people"] == ["alice", "bob", "carol"]
    assert {"name", "description", "usage", "options"} == set(told["commands"][0])


async def test_a_message_is_sent_and_read_by_those_who_see_it(client: ClientSession) -> None:
    async with client.post(f"{API}/messages", json=HELLO) as answer:
        assert answer.status == 202
        sent = (await answer.json())["id"]
    await client.post(f"{API}/messages", json={**HELLO, "room": "dm", "text": "psst", "reply_to": None})
    for name, texts in (("alice", ["hello", "psst"]), ("local:bob", ["hello"])):
        async with client.get(f"{API}/messages?person={name}") as answer:
            messages = (await answer.json())["messages"]
        assert [message["text"] for message in messages] == texts
        assert messages[0]["id"] == sent


async def test_a_send_with_the_same_key_is_one_message(client: ClientSession, surface: MemorySurface) -> None:
    for _ in range(2):
        async with client.post(f"{API}/messages", json={**HELLO, "key": "k1"}) as answer:
            assert answer.status == 202
    assert len(surface.said) == 1


async def test_a_button_is_pressed(client: ClientSession, surface: MemorySurface) -> None:
    said = surface.say("Upgrade?")
    body = {"person": "alice", "message": said, "action": "plans"}
    async with client.post(f"{API}/press", json=body) as answer:
        assert answer.status == 202
    assert surface.pressed == [("alice", said, "plans")]
    assert await refused(client, "/press", {**body, "message": "gone"}) == "There is no such message."


async def test_a_person_is_read_with_the_tier(client: ClientSession) -> None:
    async with client.get(f"{API}/person?person=alice") as answer:
        assert await answer.json() == {"person": {"name": "alice", "tier": "free"}}


@pytest.mark.parametrize("limit", ["0", "-1", "ten", "1e9", ""])
async def test_a_limit_that_is_no_number_is_refused(client: ClientSession, limit: str) -> None:
    async with client.get(f"{API}/messages?person=alice&limit={limit}") as answer:
        assert answer.status == 400


async def test_the_limit_counts_from_the_newest(client: ClientSession, surface: MemorySurface) -> None:
    for number in range(5):
        surface.say(str(number))
    async with client.get(f"{API}/messages?person=alice&limit=2") as answer:
        assert [message["text"] for message in (await answer.json())["messages"]] == ["3", "4"]


@pytest.mark.parametrize("name", ["", "Alice", "a/b", "x" * 33, "-a", "discord:1", "local:", "a b"])
async def test_a_name_that_nobody_can_have_is_refused(client: ClientSession, name: str) -> None:
    for path in ("messages", "person", "events"):
        async with client.get(f"{API}/{path}", params={"person": name}) as answer:
            assert answer.status == 400
    assert "small letters" in await refused(client, "/messages", {**HELLO, "person": name})


async def test_what_is_wrong_with_a_body_is_said(client: ClientSession) -> None:
    assert "text must be given" in await refused(client, "/messages", {"person": "alice", "room": "general"})
    assert "text must be given" in await refused(client, "/messages", {**HELLO, "text": 7})
    assert "key must be given" in await refused(client, "/messages", {**HELLO, "key": 7})
    assert "no field 'rom'" in await refused(client, "/messages", {**HELLO, "rom": "x"})
    assert "no such room" in await refused(client, "/messages", {**HELLO, "room": "cellar"})
    assert "JSON object" in await refused(client, "/messages", [HELLO])
    assert "64 KiB" in await refused(client, "/messages", {**HELLO, "text": "x" * 70_000}, 413)


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[" * 50_000, b"NaN"])
async def test_a_body_that_is_no_json_object_is_refused(client: ClientSession, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    async with client.post(f"{API}/messages", data=body, headers=headers) as answer:
        assert answer.status == 400


async def test_only_json_is_taken_so_that_no_form_elsewhere_can_speak_for_anybody(
    client: ClientSession, surface: MemorySurface
) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        headers = {"Content-Type": kind}
        async with client.post(f"{API}/messages", data=json.dumps(HELLO), headers=headers) as answer:
            assert answer.status == 415
    assert not surface.said


async def test_a_stream_begins_with_all_there_is_and_goes_on_with_each_change(
    client: ClientSession, surface: MemorySurface
) -> None:
    surface.say("before")
    async with client.get(f"{API}/events?person=alice") as answer:
        assert answer.headers["Content-Type"] == "text/event-stream; charset=utf-8"
        name, number, data = await next_event(answer)
        assert (name, number) == ("snapshot", 1)
        assert data["person"] == {"name": "alice", "tier": "free"}
        assert [message["text"] for message in data["messages"]] == ["before"]

        said = surface.say("th", state="writing")
        surface.change(said, text="thus\nfar", state="done")
        surface.set_tier("alice", "premium")
        assert (await next_event(answer))[2]["message"]["text"] == "th"
        name, number, data = await next_event(answer)
        assert (name, number, data["message"]["text"]) == ("message", 3, "thus\nfar")
        name, _, data = await next_event(answer)
        assert (name, data["person"]["tier"]) == ("person", "premium")


async def test_a_stream_holds_only_what_its_person_sees(
    client: ClientSession, surface: MemorySurface
) -> None:
    async with client.get(f"{API}/events?person=bob") as answer:
        await next_event(answer)
        surface.say("for alice alone", audience="alice")
        surface.say("for all")
        assert (await next_event(answer))[2]["message"]["text"] == "for all"


async def test_a_client_that_left_is_forgotten_at_the_next_heartbeat(
    start: Start, surface: MemorySurface, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "HEARTBEAT_SECONDS", 0.02)
    client = await start(Site("http://127.0.0.1", playground=surface))
    answer = await client.get(f"{API}/events?person=alice")
    await next_event(answer)
    assert (await answer.content.readuntil(b"\n\n")).startswith(b": ")
    assert surface.listeners == 1
    answer.close()
    async with asyncio.timeout(PATIENCE):
        await surface.left.wait()
    assert surface.listeners == 0


class FedSurface(MemorySurface):
    """A surface with the feed of the product."""

    @asynccontextmanager
    async def events(self, person: Person) -> AsyncIterator[AsyncIterator[Mapping[str, object]]]:
        """As the product listens."""
        async with Feed().listen(person.user) as changes:
            yield changes


async def test_a_client_that_left_is_no_error(
    start: Start, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(stream, "HEARTBEAT_SECONDS", 0.02)
    caplog.set_level(logging.INFO, "webhooks.access")
    client = await start(Site("http://127.0.0.1", playground=FedSurface()))
    async with client.get(f"{API}/events?person=alice") as answer:
        await next_event(answer)
        answer.close()
    async with asyncio.timeout(PATIENCE):
        while not caplog.records:  # noqa: ASYNC110 - the access log has no event
            await asyncio.sleep(0.01)
    assert [record.levelname for record in caplog.records] == ["INFO"]


async def test_stopping_the_server_ends_streams_cleanly_and_at_once(surface: MemorySurface) -> None:
    async with AsyncExitStack() as stack:
        port = await stack.enter_async_context(
            serve(Site("http://127.0.0.1", playground=surface), "127.0.0.1", 0)
        )
        async with (
            ClientSession() as client,
            client.get(f"http://127.0.0.1:{port}{API}/events?person=alice") as answer,
        ):
            await next_event(answer)
            async with asyncio.timeout(PATIENCE):
                await stack.aclose()
            assert await answer.content.read() == b""
    assert surface.listeners == 0


async def test_there_is_an_end_to_how_many_streams_may_be_open(
    client: ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "MOST_STREAMS", 1)
    async with client.get(f"{API}/events?person=alice") as first:
        await next_event(first)
        async with client.get(f"{API}/events?person=alice") as second:
            assert second.status == 503
            assert second.headers["Retry-After"] == "5"


class AwaySurface(MemorySurface):
    """A surface whose database cannot be reached."""

    async def send(self, *_: object) -> str:
        """Fail as a store does."""
        raise TryAgainError("database is away")


async def test_when_the_database_is_away_a_script_is_told_to_come_again(start: Start) -> None:
    client = await start(Site("http://127.0.0.1", playground=AwaySurface()))
    assert "try again" in await refused(client, "/messages", HELLO, 503)


async def test_where_the_playground_is_off_its_address_says_how_to_switch_it_on(start: Start) -> None:
    client = await start(Site("http://127.0.0.1"))
    for path in ("/playground", API, f"{API}/events?person=alice"):
        async with client.get(path) as answer:
            assert answer.status == 404
            assert "PLAYGROUND=1" in (await answer.json())["error"]


def test_the_document_names_every_route_there_is_and_no_other(surface: MemorySurface) -> None:
    site = Site("http://127.0.0.1", playground=surface)
    served = {
        f"{route.method} {route.resource.canonical}"
        for route in build(site).router.routes()
        if route.resource and route.resource.canonical.startswith(API) and route.method != "HEAD"
    }
    text = (Path(__file__).parents[2] / "docs" / "playground-api.md").read_text()
    told = set(re.findall(r"^## .*`((?:GET|POST) [^`?]+)", text, re.MULTILINE))
    assert told == served
