"""The fake's HTTP side: Web API, response_url, Socket Mode, and everything that is sent to the app."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Protocol

from aiohttp import web

from tests.fakes.shelf import Shelf
from tests.fakes.slack import agents, payloads, published, reading, streams, uploads, views
from tests.fakes.slack.app import BOT_TOKEN, App
from tests.fakes.slack.errors import BUGS, SlackError
from tests.fakes.slack.faults import Fault, Faults
from tests.fakes.slack.hooks import SECONDS, Hook, respond
from tests.fakes.slack.log import SECONDS_TO_ACK, Call, Delivery, Log
from tests.fakes.slack.methods import METHODS, arguments, call
from tests.fakes.slack.payloads import Ticket
from tests.fakes.slack.posts import Posts
from tests.fakes.slack.sockets import Sockets
from tests.fakes.slack.state import BOT_USER, Channel, Json, Kind, Message, Workspace

METHOD_MODULES = (agents, reading, streams, uploads, views)
"""Imported so that they register their methods."""
PROXY_STATUSES = frozenset({502, 503})
"""What does not come from the Web API itself, and is no JSON."""
EVENTS = {
    Kind.PUBLIC: "message.channels",
    Kind.PRIVATE: "message.groups",
    Kind.GROUP: "message.mpim",
    Kind.DM: "message.im",
}


class Transport(Protocol):
    """A way to the app."""

    async def send(self, delivery: Delivery) -> None:
        """Bring it to the app; the acknowledgement goes into the log."""
        ...


class SlackServer:
    """One workspace with one installed app, on a loopback port."""

    def __init__(
        self,
        *,
        manifest: Mapping[str, Any] | None = None,
        events_url: str | None = None,
        port: int = 0,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Events go to `events_url`, else down Socket Mode; `port` 0 is a free one; `now` is unix time."""
        self.app = App() if manifest is None else App.from_manifest(manifest)
        self.workspace = Workspace(now)
        self.log = Log(self.workspace.pulse)
        self.faults = Faults()
        self.shelf = Shelf(BOT_TOKEN)
        self.sockets = Sockets(self.log)
        self.posts: Posts | None = None
        if events_url:
            self.send_to(events_url)
        self._hooks: dict[str, Hook] = {}
        self._tasks: set[asyncio.Task[Delivery]] = set()
        self._runner: web.AppRunner | None = None
        self._port = port
        self.address = ""

    @property
    def api_url(self) -> str:
        """What SLACK_API_URL has to be."""
        return f"{self.address}/api/"

    @property
    def findings(self) -> list[str]:
        """What a correct app would not have done."""
        return self.log.findings

    def send_to(self, events_url: str) -> None:
        """Send signed HTTP there from now on, instead of Socket Mode envelopes."""
        self.posts = Posts(events_url, self.log, self.workspace.now)

    def socket_url(self) -> str:
        """A fresh Socket Mode address."""
        ticket = self.sockets.ticket(self.workspace.number())
        return f"{self.address.replace('http', 'ws', 1)}/socket?ticket={ticket}"

    async def start(self) -> None:
        """Listen on loopback."""
        self._runner = web.AppRunner(self.application(), access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        self.address = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        """End everything that is under way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.sockets.drop()
        if self.posts:
            await self.posts.close()
        if self._runner:
            await self._runner.cleanup()

    def application(self) -> web.Application:
        """The routes."""
        application = web.Application(client_max_size=4 * 2**20)
        application.router.add_route("*", "/api/{method}", self._api)
        application.router.add_post("/response/{hook}", self._response_url)
        application.router.add_post("/upload/{file}", self._upload)
        application.router.add_get("/socket", self.sockets.serve)
        application.router.add_get("/files-pri/{rest:.*}", self.shelf.serve)
        return application

    def ticket(self, channel: Channel, user: str, message: Message | None = None) -> Ticket:
        """The addresses for one command or pressed button."""
        number = str(self.workspace.number())
        until = asyncio.get_running_loop().time() + views.TRIGGER_SECONDS
        self.workspace.triggers[f"{number}.1.fake"] = (user, until)
        expires = self.workspace.now() + SECONDS
        self._hooks[number] = Hook(channel.id, user, expires, message, pressed=message is not None)
        return Ticket(f"{number}.1.fake", f"{self.address}/response/{number}")

    def echo(self, message: Message, *, changed: bool = False) -> None:
        """Tell the app of its own message or edit, as Slack does for what it subscribed to."""
        channel = self.workspace.channels[message.channel]
        if EVENTS[channel.kind] not in self.app.events or BOT_USER not in channel.members:
            return
        if changed:
            self.spawn(self.event(payloads.changed_event(message, channel, self.workspace.new_ts())))
        else:
            self.spawn(self.event(payloads.message_event(message, channel)))

    def spawn(self, sending: Coroutine[Any, Any, Delivery]) -> None:
        """Send something without waiting for it; it ends with the server."""
        task = asyncio.ensure_future(sending)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def event(self, event: Json) -> Delivery:
        """Send an event and wait for its acknowledgement."""
        number = self.workspace.number()
        return await self.deliver("events_api", payloads.event_callback(event, number, self.workspace.now()))

    async def deliver(
        self, kind: str, payload: Json, *, envelope: str | None = None, retry: int = 0, reason: str = ""
    ) -> Delivery:
        """Send an `events_api`, `slash_commands` or `interactive` payload and wait until it is acked."""
        loop = asyncio.get_running_loop()
        envelope = envelope or f"envelope-{self.workspace.number()}"
        delivery = Delivery(kind, payload, envelope, loop.time(), retry, reason)
        self.log.deliveries.append(delivery)
        transport: Transport = self.posts or self.sockets
        await transport.send(delivery)
        try:
            await self.workspace.pulse.until(lambda: delivery.acked_at, SECONDS_TO_ACK + 1)
        except TimeoutError:
            self.log.find(f"{kind} was never acknowledged: {str(payload)[:200]}")
        return delivery

    async def _api(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        token = self.bearer(request)
        await self.faults.held(method)
        try:
            args = await _read(request)
        except SlackError as error:
            return self._answer(method, {}, error.body())
        fault = self.faults.take(method) or self._over_tier(method, args)
        if fault and not fault.lose_answer:
            return self._faulty(method, args, fault)
        for problem in published.problems(method, args):
            self.log.find(problem)
        try:
            answer = call(self, method, args, token)
        except SlackError as error:
            self._judge(method, error)
            answer = error.body()
        if fault and request.transport:
            self.log.called(Call(self.workspace.now(), method, args, answer))
            request.transport.close()
        return self._answer(
            method, args, answer, headers={"x-oauth-scopes": ",".join(sorted(self.granted()))}
        )

    def bearer(self, request: web.Request) -> str:
        """The token of a call."""
        return request.headers.get("Authorization", "").removeprefix("Bearer ")

    def granted(self) -> frozenset[str]:
        """The scopes that the installation has, which need not be the app's."""
        return self.app.scopes

    def owns(self, hook: str) -> bool:
        """Whether a response_url was made here."""
        return hook in self._hooks

    async def _upload(self, request: web.Request) -> web.StreamResponse:
        name, length, _ = self.workspace.uploads[request.match_info["file"]]
        self.workspace.uploads[request.match_info["file"]] = (name, length, await request.read())
        return web.Response(text="OK")

    async def _response_url(self, request: web.Request) -> web.StreamResponse:
        hook = self._hooks.get(request.match_info["hook"])
        args = arguments({}, await request.json())
        if hook is None:
            return self._answer("response_url", args, {"ok": False, "error": "expired_url"}, 404)
        if fault := self.faults.take("response_url"):
            return self._faulty("response_url", args, fault)
        try:
            return self._answer("response_url", args, respond(self, hook, args))
        except SlackError as error:
            self._judge("response_url", error)
            status = 404 if error.code in {"expired_url", "used_url"} else 400
            return self._answer("response_url", args, error.body(), status)

    def _over_tier(self, method: str, args: Json) -> Fault | None:
        known = METHODS.get(method)
        bucket = f"{method} {args.get('channel')}" if method == "chat.postMessage" else method
        tier = published.tiers().get(method, known.tier) if known else 0
        now = asyncio.get_running_loop().time()  # as for the budgets, whose minutes pass by themselves
        return self.faults.over_tier(bucket, tier, now) if tier else None

    def _judge(self, method: str, error: SlackError) -> None:
        if error.code in BUGS:
            self.log.find(f"{method}: {error.code} {' '.join(error.details)} {error.more or ''}".strip())

    def _faulty(self, method: str, args: Json, fault: Fault) -> web.Response:
        headers = {"Retry-After": str(fault.retry_after)} if fault.retry_after is not None else {}
        if fault.status in PROXY_STATUSES:
            self.log.called(Call(self.workspace.now(), method, args, {}, fault.status))
            return web.Response(
                text="<html>Bad gateway</html>", content_type="text/html", status=fault.status
            )
        return self._answer(method, args, {"ok": False, "error": fault.error}, fault.status, headers)

    def _answer(
        self,
        method: str,
        args: Json,
        answer: Json,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> web.Response:
        self.log.called(Call(self.workspace.now(), method, args, answer, status))
        return web.json_response(answer, status=status, headers=headers)


async def _read(request: web.Request) -> Json:
    form = dict(request.query)
    if request.content_type == "application/json":
        return arguments(form, await request.json())
    form.update({key: value for key, value in (await request.post()).items() if isinstance(value, str)})
    return arguments(form, None)
