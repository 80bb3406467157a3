"""The daily report as people read it: the same figures as text, as a letter and in a channel."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, timedelta
from html.parser import HTMLParser
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.console import brief
from bot.console.household import Household
from bot.daily.couriers import ChannelCourier, MailCourier, written
from bot.daily.letter import letter
from bot.daily.sheet import Line, Section, Sheet, Tone, sheet
from bot.daily.text import message, text
from engine.alerts import AlertKind
from engine.briefs import Reporting
from engine.channels import Channel
from engine.daily import Daily, DailyReports
from engine.domain import Platform
from engine.facts import Mode
from engine.panels import Panels
from engine.settings import MailSettings
from tests.bot.test_mail import BOT, ME, YOU
from tests.engine.conftest import ALICE, Hall, last
from tests.engine.conftest import hall as hall  # noqa: PLC0414 - a fixture
from tests.fakes.smtp import Sink, served
from tests.web.browser import chromium

LINK = "https://bot.test/admin"
MAIL = MailSettings("127.0.0.1", 25, tls=False, username=None, password=None, sender=BOT, receivers=(ME, YOU))


async def reports(hall: Hall) -> DailyReports:
    """Of a house that answered something today."""
    await last(hall.chat(), hall.ask(person=ALICE))
    panels = Panels(hall.store, hall.clock, hall.catalogue, Mode.TEST)
    return DailyReports(hall.store, hall.clock, panels, Reporting())


async def daily(hall: Hall) -> Daily:
    """The report of today, as it is by now."""
    return await (await reports(hall)).read(hall.clock.now().astimezone(UTC).date())


class Words(HTMLParser):
    """What somebody reads of a page, and what a program would fetch for it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.said: list[str] = []
        self.fetched: list[str] = []
        self.hidden = 0
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.hidden += tag in {"style", "title"}
        self.fetched += [tag for name, _ in attrs if name in {"src", "srcset", "background"}]
        self.fetched += [tag] * (tag in {"link", "script", "img"})

    def handle_endtag(self, tag: str) -> None:
        self.hidden -= tag in {"style", "title"}

    def handle_data(self, data: str) -> None:
        self.said += [data.strip()] if data.strip() and not self.hidden else []


async def test_the_letter_has_every_figure_of_the_text_and_fetches_nothing(hall: Hall) -> None:
    found = sheet(await daily(hall), LINK)
    page, plain = Words(letter(found)), text(found)
    assert page.fetched == []
    lines = [*found.tiles, *(line for section in found.sections for line in section.lines)]
    assert len(lines) > 5
    for line in lines:
        for words in filter(None, (line.name, line.value, line.note)):
            assert words in page.said
            assert words in plain
    assert found.mark == "TEST MODE: no real money"
    assert found.mark in page.said
    assert f'href="{LINK}"' in letter(found)


async def test_nobody_is_named_and_nothing_that_was_written_is_in_it(hall: Hall) -> None:
    hall.free(conversations_per_day=0)
    await last(hall.chat(), hall.ask("what alice wrote"))
    found = sheet(await daily(hall), LINK)
    for words in (letter(found), text(found), message(found)):
        assert "alice" not in words


async def test_what_needs_the_operator_is_said_and_news_are_not(hall: Hall) -> None:
    made = await daily(hall)
    news = (AlertKind.PAYMENT, 3), (AlertKind.VENDOR_BACK, 2), (AlertKind.MEMBER_REACHED, 400)
    alerts = (*news, (AlertKind.VENDOR_DOWN, 2))
    needs = sheet(replace(made, alerts=alerts), LINK).sections[0]
    assert [(line.name, line.value) for line in needs.lines] == [("Alert: vendor down", "2")]
    assert "What needs you: Nothing." in text(sheet(made, LINK))


async def test_a_message_is_text_and_html_under_one_id_for_a_day(hall: Hall) -> None:
    made = await daily(hall)
    first, second = written(made, MAIL, LINK), written(replace(made, alerts=()), MAIL, LINK)
    assert first.get_content_type() == "multipart/alternative"
    parts = [part.get_content_type() for part in first.iter_parts()]
    assert parts == ["text/plain", "text/html"]
    assert first["Message-ID"] == second["Message-ID"]
    other = replace(made, day=made.day + timedelta(days=1))
    assert written(other, MAIL, LINK)["Message-ID"] != first["Message-ID"]
    assert first["Subject"].startswith("TEST MODE: Daily report, ")
    assert first["To"] == f"{ME}, {YOU}"


async def test_it_arrives_by_mail_and_what_arrives_twice_is_one_message(hall: Hall) -> None:
    async with served(Sink()) as sink:
        courier = MailCourier(replace(MAIL, port=sink.port), LINK)
        for again in (False, True):
            await courier.carry(await daily(hall), "mail", again=again)
    assert len({each["Message-ID"] for each in sink.taken}) == 1
    html = sink.taken[0].get_body(("html",))
    assert html is not None
    assert "<h1" in html.get_content()


class Published:
    """A herald that keeps what it publishes."""

    def __init__(self) -> None:
        self.told: list[tuple[Channel, str, str, bool]] = []

    async def tell(self, *_: object, **__: object) -> None:
        """Nothing of this is told."""
        raise NotImplementedError

    async def publish(self, channel: Channel, key: str, text: str, tried_since: object) -> None:
        """Keep it."""
        self.told.append((channel, key, text, tried_since is not None))


async def test_channels_of_the_platforms_here_get_it_under_one_key(hall: Hall) -> None:
    herald, made = Published(), await daily(hall)
    here, elsewhere = Channel(Platform.DISCORD, "", "7"), Channel(Platform.SLACK, "T1", "C1")
    courier = ChannelCourier({Platform.DISCORD: cast("Any", herald)}, (here, elsewhere), LINK)
    assert courier.destinations() == ["discord:7"]
    for again in (False, True):
        await courier.carry(made, "discord:7", again=again)
    assert {(channel, key) for channel, key, _, _ in herald.told} == {(here, f"daily:{made.day}:discord:7")}
    assert [again for *_, again in herald.told] == [False, True]
    assert herald.told[0][2].startswith(f"**Daily report, {made.day:%a}")


def household(hall: Hall, made: DailyReports, port: int | None) -> Household:
    """A house with a mail server there, or none."""
    settings = SimpleNamespace(
        mail=replace(MAIL, port=port) if port else None, server=SimpleNamespace(app_url="https://bot.test")
    )
    office = SimpleNamespace(daily=made)
    return cast("Household", SimpleNamespace(settings=settings, office=office, clock=hall.clock))


def asked(**given: object) -> Any:  # noqa: ANN401 - a namespace
    return SimpleNamespace(**{"daily": False, "send": False, "to": None, **given})


async def test_the_command_prints_or_sends_the_last_whole_day(
    hall: Hall, capsys: pytest.CaptureFixture[str]
) -> None:
    made = await reports(hall)
    yesterday = hall.clock.now().date() - timedelta(days=1)
    async with served(Sink()) as sink:
        house = household(hall, made, sink.port)
        assert await brief.report(asked(daily=True), house) == 0
        assert f"Daily report, {yesterday:%a}" in capsys.readouterr().out
        assert sink.taken == []
        assert await brief.report(asked(send=True, to="else@example.com"), house) == 0
        assert await brief.report(asked(send=True), house) == 0
    assert [to for _, to in sink.envelopes] == [("else@example.com",), (ME, YOU)]
    assert await brief.report(asked(send=True), house) == 1
    assert "Not sent: the mail server cannot be reached" in capsys.readouterr().err


async def test_the_command_does_not_say_that_it_is_sent_to_whom_it_is_not(
    hall: Hall, capsys: pytest.CaptureFixture[str]
) -> None:
    made = await reports(hall)
    async with served(Sink(refused=frozenset({YOU}))) as sink:
        assert await brief.report(asked(send=True), household(hall, made, sink.port)) == 1
    said = capsys.readouterr()
    assert "is sent, but receiver 2 of 2 is refused: 550" in said.err
    assert said.out == ""


async def test_the_command_says_what_is_missing(hall: Hall, capsys: pytest.CaptureFixture[str]) -> None:
    house = household(hall, await reports(hall), None)
    assert await brief.report(asked(send=True), house) == 2
    assert "Set SMTP_URL, MAIL_FROM and MAIL_TO first" in capsys.readouterr().err
    assert await brief.report(asked(to=ME), house) == 2


WORDS = st.text("ab <>&'\"`*\n/", max_size=40) | st.text(max_size=40)
LINES = st.builds(
    Line, WORDS, WORDS, WORDS, st.sampled_from(Tone), st.none() | st.fractions(min_value=0, max_value=1)
)


@given(st.lists(LINES, max_size=4), WORDS)
def test_no_name_can_break_out_of_where_it_stands(lines: list[Line], mark: str) -> None:
    found = Sheet("T", "D", mark, tuple(lines), (Section("S", tuple(lines), "none"),), LINK)
    tags = re.findall(r"<[a-z!/][^>]*>", letter(found))
    plain = tuple(replace(line, name="n", value="v", note="x" if line.note else "") for line in lines)
    bare = Sheet("T", "D", "m" if mark else "", plain, (Section("S", plain, "none"),), LINK)
    assert tags == re.findall(r"<[a-z!/][^>]*>", letter(bare))
    assert message(found).count("```") == 2


@pytest.mark.browser
async def test_the_letter_fits_a_telephone_and_the_dark(hall: Hall) -> None:
    page_text = letter(sheet(await daily(hall), LINK))
    async with chromium() as browser:
        for width in (600, 390, 320):
            page = await browser.new_page(viewport={"width": width, "height": 800}, color_scheme="dark")
            await page.set_content(page_text)
            assert await page.evaluate("document.documentElement.scrollWidth") <= width
            paper = "getComputedStyle(document.body).backgroundColor"
            assert await page.evaluate(paper) == "rgb(18, 21, 26)"
