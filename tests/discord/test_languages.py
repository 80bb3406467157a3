"""Members are spoken to in the language that they have set, and welcomed once."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from engine.domain import Person, Platform, TierName
from engine.facts import Mode
from engine.jobs import Notices
from engine.ledger import Tx
from engine.notices import Notice, NoticeId, NoticeKind
from tests.discord.conftest import Stage, counter_of, front_of, serving
from tests.engine.conftest import Hall
from tests.fakes.discord import FakeDiscord


def owe(tx: Tx, hall: Hall, fake: FakeDiscord) -> None:
    """Owe Alice a notice."""
    person = Person(Platform.DISCORD, "", fake.world.user("alice").id)
    now = hall.clock.now()
    account = tx.lock_account(person, now).id
    kind, tier = NoticeKind.ACTIVATED, TierName.PREMIUM
    tx.owe(Notice(NoticeId("n1"), "n1", account, Mode.SIMULATED, person, kind, tier, now))


async def test_answers_refusals_buttons_and_commands_follow_the_members_own_language(stage: Stage) -> None:
    fake = stage.discord
    fake.speaks("alice", "de")
    for number in range(1, 4):
        fake.slash("alice", "ask", {"prompt": "Hallo"})
        await stage.shown(words=f"Unterhaltung {number} von 3 heute")
    refused = await fake.answered(fake.slash("alice", "ask", {"prompt": "Und nun?"}))
    assert "Du hast die letzte Unterhaltung für heute begonnen" in refused.text
    assert "8,99\xa0$ im Monat oder 89\xa0$ im Jahr" in refused.text
    upgrade = refused.button("Upgrade: 8,99\xa0$ im Monat")["custom_id"]
    assert "Only the one who asked" in (await fake.answered(fake.press("bob", refused, upgrade))).text
    ask = fake.commands["ask"]
    assert ask["description"] == "Ask a model; the answer starts a new conversation."
    assert ask["description_localizations"]["de"].startswith("Frag ein Modell")
    assert ask["options"][0]["description_localizations"]["fr"] == "Ce que tu veux savoir."
    assert "en-US" not in ask["description_localizations"]


async def test_the_language_is_remembered_for_mentions_and_notices_also_after_a_restart(
    hall: Hall, fake: FakeDiscord
) -> None:
    fake.speaks("alice", "es-419")
    front = counter_of(hall).front(hall, welcomes=True)
    async with serving(fake, front) as bot:
        stage = Stage(fake, hall, front, bot)
        fake.slash("alice", "ask", {"prompt": "Hola"})
        await stage.shown(words="conversación 1 de 3 hoy")
    front = await front_of(hall)
    await hall.store.transact(lambda tx: owe(tx, hall, fake))
    async with serving(fake, front) as bot:
        stage = Stage(fake, hall, front, bot)
        fake.say("alice", "general", "¿Y ahora?", mention_bot=True)
        await stage.shown(words="conversación 2 de 3 hoy")
        notices = Notices(hall.store, hall.clock, Mode.SIMULATED)
        notices.messengers[Platform.DISCORD] = bot.messenger
        assert await notices.work() == 1
    (told,) = fake.dms("alice")
    assert "¡Gracias! El plan **Premium** es tuyo." in told.text


async def test_a_language_that_was_chosen_outdoes_the_one_that_is_set(stage: Stage) -> None:
    fake = stage.discord
    fake.speaks("alice", "de")
    shown = await fake.answered(fake.slash("alice", "language"))
    assert "Ich rede Deutsch mit dir" in shown.text
    chosen = await fake.answered(fake.press("alice", shown, shown.button("français")["custom_id"]))
    assert "je te parle en français" in chosen.text
    assert "Conversations aujourd'hui" in (await fake.answered(fake.slash("alice", "usage"))).text
    auto = await fake.answered(fake.slash("alice", "language", {"name": "auto"}))
    assert "jetzt ist das Deutsch" in auto.text


async def test_whose_language_is_unknown_is_spoken_to_in_the_servers(hall: Hall, fake: FakeDiscord) -> None:
    fake.world.preferred_locale = "fr"
    front = await front_of(hall)
    async with serving(fake, front) as bot:
        stage = Stage(fake, hall, front, bot)
        fake.say("alice", "general", "Bonjour", mention_bot=True)
        await stage.shown(words="conversation 1 sur 3 aujourd'hui")


@pytest.fixture
async def greeting(hall: Hall, fake: FakeDiscord) -> AsyncIterator[Stage]:
    """A bot that welcomes people."""
    front = counter_of(hall).front(hall, welcomes=True)
    async with serving(fake, front) as bot:
        yield Stage(fake, hall, front, bot)
    assert fake.findings == []


async def test_whoever_comes_first_by_a_command_is_welcomed_privately_and_once(greeting: Stage) -> None:
    fake = greeting.discord
    first = fake.slash("alice", "ask", {"prompt": "Hi"})
    await fake.world.pulse.until(lambda: len(first.texts()) == 2)
    welcome = first.messages[-1]
    assert welcome.only_for == fake.world.user("alice").id
    assert len(welcome.text.splitlines()) == 3
    assert "**Free** costs nothing: 3 conversations a day" in welcome.text
    assert all(command in welcome.text for command in ("/ask", "/help", "/plans"))
    second = fake.slash("alice", "usage")
    await fake.answered(second)
    fake.say("alice", "general", "Hi again", mention_bot=True)
    await greeting.shown(count=2)
    assert len(second.texts()) == 1
    assert [one.only_for for one in fake.transcript("general") if "Welcome" in one.text] == [welcome.only_for]
    assert fake.dms("alice") == []


async def test_whoever_comes_first_by_a_mention_is_welcomed_in_one_quiet_line(greeting: Stage) -> None:
    greeting.discord.say("alice", "general", "Hi", mention_bot=True)
    shown = await greeting.shown(words="Welcome")
    assert shown[-1].text.startswith("-# Welcome! Free for you: 3 conversations a day")
    assert len(shown[-1].text.splitlines()) == 1
    assert greeting.discord.dms("alice") == []


async def test_whoever_comes_first_by_dm_is_welcomed_there(greeting: Stage) -> None:
    greeting.discord.dm("alice", "Hi")
    assert len((await greeting.told("alice", words="Welcome"))[-1].text.splitlines()) == 3
