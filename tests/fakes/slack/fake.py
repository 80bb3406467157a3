"""FakeSlack: a workspace whose people act, for tests."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Self, TypeVar

from aiohttp import web

from tests.fakes.pulse import PATIENCE
from tests.fakes.shelf import File, Manner
from tests.fakes.slack import control, payloads, views
from tests.fakes.slack.app import APP_TOKEN, BOT_TOKEN, SIGNING_SECRET
from tests.fakes.slack.log import Delivery
from tests.fakes.slack.server import EVENTS, SlackServer
from tests.fakes.slack.signing import signed
from tests.fakes.slack.state import BOT_USER, Channel, Json, Kind, Message, Stream, Window

T = TypeVar("T")

ALICE, BOB, CAROL = "U0ALICE", "U0BOB", "U0CAROL"
GENERAL, OUTSIDE, PRIVATE = "C0GENERAL", "C0OUTSIDE", "G0PRIVATE"
"""Channels: with the bot; public but without the bot; private and without the bot."""
MENTION = f"<@{BOT_USER}>"


@dataclass(frozen=True, slots=True)
class Said:
    """A message somebody wrote, and the events it caused."""

    message: Message
    deliveries: tuple[Delivery, ...]

    @property
    def ts(self) -> str:
        """The message's timestamp, which names it in its channel."""
        return self.message.ts


class FakeSlack(SlackServer):
    """Use as an async context manager; every action returns once the app has acknowledged it."""

    async def __aenter__(self) -> Self:
        self.people()
        await self.start()
        return self

    def people(self) -> None:
        """Let everybody be there, and the channels they are in."""
        people = {ALICE, BOB, CAROL}
        for user in sorted(people):
            self.workspace.add_user(user, user[2:].lower())
        self.workspace.add_channel(GENERAL, "general", Kind.PUBLIC, {*people, BOT_USER})
        self.workspace.add_channel(OUTSIDE, "outside", Kind.PUBLIC, set(people))
        self.workspace.add_channel(PRIVATE, "secret", Kind.PRIVATE, set(people))

    @property
    def variables(self) -> dict[str, str]:
        """The environment that leads a bot here, for the transport that is in use."""
        secret = {"SLACK_SIGNING_SECRET": SIGNING_SECRET} if self.posts else {"SLACK_APP_TOKEN": APP_TOKEN}
        return {"SLACK_API_URL": self.api_url, "SLACK_BOT_TOKEN": BOT_TOKEN, **secret}

    async def connected(self, seconds: float = PATIENCE) -> None:
        """Wait until the app listens to this workspace."""
        if self.posts is None:
            await self.wait_for(lambda: self.sockets.open, seconds)
            return
        body = b'{"type": "url_verification", "challenge": "there?"}'
        headers = {"Content-Type": "application/json", **signed(body, self.workspace.now())}
        async with asyncio.timeout(seconds):
            while (await self.posts.post(body, headers))[0] != HTTPStatus.OK:  # noqa: ASYNC110 - asks the app
                await asyncio.sleep(0.02)

    def application(self) -> web.Application:
        """The routes, with those that steer the fake from another process."""
        application = super().application()
        control.install(application, self)
        return application

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def slash(self, user: str, command: str, text: str = "", channel: str = GENERAL) -> Delivery:
        """Type a slash command; its acknowledgement may carry a private answer."""
        if self.app.commands is not None and command not in self.app.commands:
            message = f"{command} is not a valid command"
            raise ValueError(message)
        place, person = self.workspace.channels[channel], self.workspace.users[user]
        ticket = self.ticket(place, user)
        if command in self.app.escaped:
            text = self.workspace.escaped(text)
        payload = payloads.slash_command(person, place, command, text, ticket)
        delivery = await self.deliver("slash_commands", payload)
        if delivery.answer and delivery.answer.get("text"):
            answer = Message(
                self.workspace.new_ts(), channel, BOT_USER, str(delivery.answer["text"]), only_for=user
            )
            self.workspace.add(answer)
        return delivery

    async def mention(
        self, user: str, channel: str, text: str, thread_ts: str | None = None, files: Sequence[File] = ()
    ) -> Said:
        """Write to the bot in a channel."""
        return await self.say(user, channel, f"{MENTION} {text}", thread_ts, files)

    async def dm(
        self, user: str, text: str, thread_ts: str | None = None, files: Sequence[File] = ()
    ) -> Said:
        """Write to the bot in the DM with it."""
        return await self.say(user, self.workspace.dm(user).id, text, thread_ts, files)

    async def say(
        self,
        user: str,
        channel: str,
        text: str,
        thread_ts: str | None = None,
        files: Sequence[File] = (),
    ) -> Said:
        """Write anything anywhere; the app hears of it as far as it subscribed and is a member."""
        written, place = self.write(user, channel, text, thread_ts), self.workspace.channels[channel]
        written.files = [self.upload(file) for file in files]
        events = self._events_of(written, place)
        return Said(written, tuple([await self.event(event) for event in events]))

    def upload(self, file: File) -> Json:
        """Keep a file for those with the bot's token, if the app may read files; how it is announced."""
        if "files:read" not in self.app.scopes:
            file = replace(file, manner=Manner.SIGN_IN)
        number = f"F{self.workspace.number():09d}"
        path = f"/files-pri/T1-{number}/download/{file.name}"
        self.shelf.put(path, file)
        known = payloads.file_object(file, number, f"{self.address}{path}")
        self.workspace.files[number] = known
        return {"id": number, "file_access": "check_file_info"} if self.workspace.shared_files else known

    def write(self, user: str, channel: str, text: str, thread_ts: str | None = None) -> Message:
        """Put a message there without telling the app."""
        if user not in self.workspace.channels[channel].members:
            message = f"{user} is not in {channel}"
            raise ValueError(message)
        return self.workspace.add(Message(self.workspace.new_ts(), channel, user, text, thread_ts=thread_ts))

    async def press(self, user: str, message: Message, action_id: str) -> Delivery:
        """Press a button of a message that the user sees; a button with an address tells the app too."""
        button = next((b for b in message.buttons if b["action_id"] == action_id), None)
        if button is None or message.only_for not in {None, user}:
            names = [b["action_id"] for b in message.buttons]
            error = f"{user} sees no button {action_id!r}, only {names}"
            raise ValueError(error)
        place, person = self.workspace.channels[message.channel], self.workspace.users[user]
        ticket = self.ticket(place, user, message)
        return await self.deliver(
            "interactive", payloads.block_action(person, place, message, button, ticket)
        )

    async def rate(self, user: str, message: Message, value: str) -> Delivery:
        """Press one of the two feedback buttons of a message, by its value."""
        pair = message.thumbs[0]
        thumb = next(each for each in pair.values() if isinstance(each, dict) and each["value"] == value)
        place, person = self.workspace.channels[message.channel], self.workspace.users[user]
        ticket = self.ticket(place, user, message)
        pressed = pair | {"text": thumb["text"], "value": value}
        return await self.deliver(
            "interactive", payloads.block_action(person, place, message, pressed, ticket)
        )

    def room(self, channel: str) -> str:
        """Make a public channel that everybody and the bot are in."""
        everybody = {*self.workspace.users, BOT_USER}
        return self.workspace.add_channel(channel, channel.lower(), Kind.PUBLIC, everybody).id

    def group(self, *users: str) -> str:
        """Make a direct message of several people and the bot."""
        return self.workspace.add_channel("G0GROUP", "mpdm-some", Kind.GROUP, {*users, BOT_USER}).id

    async def stop_session(self, user: str, channel: str, thread_ts: str) -> Delivery:
        """Press Slack's own button that stops an agent; Slack ends the streams there at once."""
        session = self.workspace.sessions.get((channel, thread_ts))
        if session is None or session.status != "processing":
            error = f"{user} sees no button to stop anything"
            raise ValueError(error)
        streamed = [m for m in self.thread(channel, thread_ts) if m.stream is Stream.RUNNING]
        for message in streamed:
            message.stream = Stream.STOPPED
        event = payloads.stopped_event(user, channel, thread_ts, [m.ts for m in streamed])
        return await self.event(event)

    async def shortcut(self, user: str, message: Message, callback: str = "ask-about") -> Delivery:
        """Choose something from a message's menu."""
        if callback not in self.app.shortcuts:
            error = f"{callback} is in no menu"
            raise ValueError(error)
        place, person = self.workspace.channels[message.channel], self.workspace.users[user]
        payload = payloads.message_shortcut(person, place, message, callback, self.ticket(place, user))
        return await self.deliver("interactive", payload)

    async def window(self, user: str, seconds: float = PATIENCE) -> Window:
        """The window that a user has open, the latest one."""

        def found() -> Window | None:
            return next((w for w in reversed(self.workspace.windows.values()) if w.user == user), None)

        return await self.wait_for(found, seconds)

    async def submit(self, window: Window, **values: Json) -> Delivery:
        """Send a window off, with what was filled in for each block."""
        person = self.workspace.users[window.user]
        filled = {
            block["block_id"]: {block["element"]["action_id"]: {"type": block["element"]["type"], **given}}
            for block in window.view["blocks"]
            if block["type"] == "input" and (given := values.get(block["block_id"], {})) is not None
        }
        ticket = self.ticket(self.workspace.dm(window.user), window.user)
        view = {"id": window.id, **window.view}
        delivery = await self.deliver("interactive", payloads.view_submission(person, view, filled, ticket))
        answer = delivery.answer or {}
        window.errors = answer.get("errors", {}) if answer.get("response_action") == "errors" else {}
        if set(window.errors) - set(filled):
            self.log.find(f"errors for blocks that are no fields: {sorted(window.errors)}")
        if not window.errors:
            del self.workspace.windows[window.id]
        return delivery

    async def press_view(
        self, user: str, action_id: str, value: str | None = None, window: Window | None = None
    ) -> Delivery:
        """Press something on the Home, or in a window; `value` is what is chosen from a list."""
        view = {"id": window.id, **window.view} if window else {"id": "VHOME", **self.workspace.homes[user]}
        found, block_id = views.element(view, action_id)
        person, ticket = self.workspace.users[user], self.ticket(self.workspace.dm(user), user)
        payload = payloads.view_action(person, view, found | {"block_id": block_id}, ticket, value)
        return await self.deliver("interactive", payload)

    async def open_home(self, user: str, tab: str = "home") -> Delivery:
        """Look at the app's Home or Messages tab."""
        person, place = self.workspace.users[user], self.workspace.dm(user)
        return await self.event(payloads.home_event(person, place, tab, self.workspace.new_ts()))

    async def redeliver(self, delivery: Delivery, reason: str = "timeout") -> Delivery:
        """Send something again: the same event and envelope, marked as a retry."""
        return await self.deliver(
            delivery.kind,
            delivery.payload,
            envelope=delivery.envelope_id,
            retry=delivery.retry + 1,
            reason=reason,
        )

    def close_dms(self, user: str, error: str = "user_disabled") -> None:
        """Let DMs to a user fail: `user_disabled`, `user_not_visible`, `channel_not_found` ..."""
        self.workspace.users[user].dm_error = error

    def transcript(self, channel: str = GENERAL) -> list[Message]:
        """What everybody in a channel sees, in order."""
        return self.workspace.visible(channel)

    def thread(self, channel: str, root: str) -> list[Message]:
        """The replies to a message."""
        return [m for m in self.transcript(channel) if m.thread_ts == root and m.ts != root]

    def dms(self, user: str) -> list[Message]:
        """The DM between a user and the app, in order."""
        return self.transcript(self.workspace.dm(user).id)

    def ephemerals(self, user: str) -> list[Message]:
        """Every private reply that a user sees."""
        places = self.workspace.channels.values()
        return sorted(
            (m for c in places for m in c.messages.values() if m.only_for == user), key=lambda m: m.ts
        )

    async def wait_for(self, found: Callable[[], T | None], seconds: float = PATIENCE) -> T:
        """Return the first true result of `found`, looked at whenever something changes."""
        return await self.workspace.pulse.until(found, seconds)

    def _events_of(self, message: Message, place: Channel) -> list[dict[str, object]]:
        if BOT_USER not in place.members:
            return []
        events = []
        if MENTION in message.text and place.kind is not Kind.DM and "app_mention" in self.app.events:
            events.append(payloads.mention_event(message, place))
        if EVENTS[place.kind] in self.app.events:
            events.append(payloads.message_event(message, place))
        return events
