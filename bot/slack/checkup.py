"""What the operator has to mend in Slack: tokens, scopes and addresses, asked of Slack itself."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from aiohttp import ClientSession
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.calls import called, code_behind
from bot.slack.clients import client, open_session
from bot.slack.installed import Installed
from bot.slack.manifest import scopes
from engine.channels import Channel
from engine.errors import GoneError, OutsideError, TellOperatorError, TryAgainError
from engine.installations import Installation
from engine.ports import Store, Vault
from engine.settings import SlackOAuth, SlackSettings

PATIENCE = 20.0
"""Seconds for all that is asked."""
AT_ONCE = 8
NAMED = 20
"""Workspaces that are listed by name."""
APPS = "https://api.slack.com/apps"
PASTE = f"Paste what `main.py slack-manifest` prints at {APPS}, page App Manifest"
AWAY = "Slack cannot be asked now ({why}). Check the network, and SLACK_API_URL if it is set."


@dataclass(frozen=True, slots=True)
class Place:
    """A workspace to look at: what it is called here, its token, and how its installation is made again."""

    name: str
    token: str
    again: str


async def check_slack(
    slack: SlackSettings, app_url: str, store: Store, tokens: Vault | None = None
) -> tuple[list[str], list[str]]:
    """What is good to know, and a sentence with its mend for each thing that is wrong; no call takes long."""
    notes, problems = [], list(of_settings(slack, app_url))
    found: Sequence[Installation] = ()
    places: list[Place] = []
    if slack.oauth:
        installed = Installed(store, tokens)
        found = await installed.everywhere()
        notes += list(about_oauth(slack.oauth, found))
        for each in found:
            try:
                places.append(place_of(each, installed.token(each), slack.oauth))
            except TellOperatorError as error:
                problems.append(f"Slack workspace {each.name}: {error}. Put it back there.")
    elif slack.bot_token:
        token = slack.bot_token.get_secret_value()
        again = "install the app again (Install App)"
        places += [Place("SLACK_BOT_TOKEN", token, again)] if token.startswith("xoxb-") else []
    problems += await asked(slack, places)
    return notes, list(dict.fromkeys(problems))


def of_settings(slack: SlackSettings, app_url: str) -> Iterator[str]:
    """What is wrong before anybody is asked."""
    if slack.bot_token and not slack.bot_token.get_secret_value().startswith("xoxb-"):
        mend = f"Copy the Bot User OAuth Token (xoxb-) from {APPS}, page OAuth & Permissions."
        if slack.bot_token.get_secret_value().startswith("xoxe"):
            mend = f"Token rotation is on, which cannot be undone: make the app anew at {APPS}."
        yield f"SLACK_BOT_TOKEN: is no bot token of a kind that lasts. {mend}"
    if slack.app_token and not slack.app_token.get_secret_value().startswith("xapp-"):
        yield (
            "SLACK_APP_TOKEN: is no app-level token (xapp-). Make one with the scope connections:write at "
            f"{APPS}, page Basic Information."
        )
    called_by_slack = slack.app_token is None or slack.oauth is not None
    if called_by_slack and not app_url.startswith("https://"):
        other = "" if slack.oauth else ", or use Socket Mode (SLACK_APP_TOKEN)"
        yield (
            f"APP_URL: {app_url} is not https, and Slack takes no other address of ours. Set it to the "
            f"public address of this server{other}."
        )


def about_oauth(oauth: SlackOAuth, found: Sequence[Installation]) -> Iterator[str]:
    """How the app is installed, and where it is."""
    yield f"Slack redirect address, as the manifest has it: {oauth.redirect_url}"
    if not found:
        yield f"No workspace has the Slack app yet; it is installed at {oauth.install_url}"
        return
    names = [f"{each.name} ({each.place})" for each in found[:NAMED]]
    more = f" and {len(found) - NAMED} more" if len(found) > NAMED else ""
    yield f"The Slack app is installed in {', '.join(names)}{more}"
    if not oauth.token_keys:
        yield "The tokens of Slack workspaces are kept in the clear; SLACK_TOKEN_KEY seals those to come"


def place_of(found: Installation, token: str, oauth: SlackOAuth) -> Place:
    """A workspace that installed the app."""
    again = f"have it installed there again at {oauth.install_url}"
    return Place(f"Slack workspace {found.name} ({found.place})", token, again)


async def asked(slack: SlackSettings, places: Sequence[Place]) -> list[str]:
    """What Slack itself finds wrong, in words even if it does not answer."""
    turns = asyncio.Semaphore(AT_ONCE)

    async def look(place: Place, session: ClientSession) -> list[str]:
        async with turns:
            web = client(place.token, slack.api_url, session, patient=True)
            return await of_place(web, place, scopes(follow_threads=slack.follow_threads))

    try:
        async with asyncio.timeout(PATIENCE), open_session() as session:
            token = slack.app_token.get_secret_value() if slack.app_token else ""
            web = client(token, slack.api_url, session, patient=False)
            answers = await asyncio.gather(
                *(look(place, session) for place in places),
                *([of_app_token(web)] if token.startswith("xapp-") else []),
            )
    except TimeoutError:
        return [AWAY.format(why=f"no answer in {PATIENCE:.0f} seconds")]
    return [words for answer in answers for words in answer]


async def of_place(web: AsyncWebClient, place: Place, wanted: Sequence[str]) -> list[str]:
    """What is wrong with one installation."""
    try:
        answer = await called(web.auth_test())
    except TryAgainError as error:
        return [AWAY.format(why=error)]
    except OutsideError as error:
        return [f"{place.name}: its token is not accepted ({error}). At {APPS}, {place.again}."]
    granted = str(answer.headers.get("x-oauth-scopes", "")).replace(" ", "").split(",")
    missing = sorted(set(wanted) - set(granted))
    if not missing:
        return []
    return [f"{place.name}: lacks the scopes {', '.join(missing)}. {PASTE}, and {place.again}."]


async def of_app_token(web: AsyncWebClient) -> list[str]:
    """Whether a connection could be opened; Slack lets us ask about once a minute."""
    try:
        await called(web.apps_connections_open(app_token=str(web.token)))
    except TryAgainError as error:
        return [] if error.retry_after is not None else [AWAY.format(why=error)]
    except OutsideError as error:
        mend = f"Make one with the scope connections:write at {APPS}, page Basic Information"
        return [f"SLACK_APP_TOKEN: is not accepted ({error}). {mend}, and switch Socket Mode on."]
    return []


async def check_slack_channels(
    slack: SlackSettings, channels: Sequence[Channel], store: Store, tokens: Vault | None = None
) -> list[str]:
    """A sentence with its mend for each channel that the bot may not write to; nothing is written.

    Slack has no way to ask that, so their history is asked for: without the scopes for it nothing is found.
    """
    try:
        async with asyncio.timeout(PATIENCE), open_session() as session:
            found = []
            for each in channels:
                token = await token_for(slack, each, store, tokens)
                web = client(token, slack.api_url, session, patient=True) if token else None
                found.append(await of_channel(web, each) if web else NOT_INSTALLED.format(channel=each))
    except TimeoutError:
        return [AWAY.format(why=f"no answer in {PATIENCE:.0f} seconds")]
    return [words for words in found if words]


NOT_INSTALLED = "{channel}: the app is not in that workspace. Install it there, or correct config.toml."
NOT_FOUND = (
    "{channel}: there is no such channel, or it is private. Write /invite and the app's name there, or "
    "correct the id in config.toml."
)


async def token_for(slack: SlackSettings, channel: Channel, store: Store, tokens: Vault | None) -> str | None:
    """The token of the workspace that a channel is in."""
    if slack.oauth is None:
        return slack.bot_token.get_secret_value() if slack.bot_token else None
    installed = Installed(store, tokens)
    there = [each for each in await installed.everywhere() if each.place == channel.workspace]
    return installed.token(there[0]) if there else None


async def of_channel(web: AsyncWebClient, channel: Channel) -> str:
    """What is wrong with one; a public one need not have the bot in it."""
    try:
        await called(web.conversations_history(channel=channel.id, limit=1))
    except GoneError as error:
        return "" if code_behind(error) == "not_in_channel" else NOT_FOUND.format(channel=channel)
    except TryAgainError as error:
        return AWAY.format(why=error)
    except TellOperatorError as error:
        return "" if code_behind(error) == "missing_scope" else f"{channel}: {error}."
    except OutsideError as error:
        return f"{channel}: {error}."
    return ""
