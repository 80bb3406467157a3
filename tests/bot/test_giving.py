"""What is given, word for word: by operators in chat and on the console, and redeemed by members."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from types import SimpleNamespace

import pytest

from bot import cards, render
from bot.admin.desk import Operators
from bot.admin.giving import MOST_IN_CHAT, giving
from bot.affairs import Affairs
from bot.commands import BY_NAME
from bot.console import given
from bot.console.arguments import command_line
from bot.front import Front, Request
from bot.news import notice
from bot.reply import Reply
from bot.typed import Typed, parse
from bot.words import LANGUAGES, speaking
from engine.codes import digest_of
from engine.domain import Answered, Interval, Person, Refusal, RefusalReason, Standing, TierName
from engine.facts import Mode
from engine.members import plain
from engine.models import Finish
from tests.bot.counter import Counter, simulated_counter
from tests.engine.conftest import ALICE, BOB, Hall
from tests.engine.conftest import hall as hall  # noqa: PLC0414 - a fixture
from tests.fakes.clock import NOON

CODE = re.compile(r"[A-Z2-7]{4}(?:-[A-Z2-7]{4}){3}")
DAY = timedelta(days=1)


@dataclass(slots=True)
class Booth:
    """A bot that Alice operates, and its command line."""

    hall: Hall
    counter: Counter
    front: Front
    affairs: Affairs = field(init=False)

    def __post_init__(self) -> None:
        self.affairs = self.front.affairs
        self.front.operators = Operators((ALICE,), giving(self.affairs))

    async def replies(self, text: str, who: Person) -> Sequence[Reply]:
        """All replies to a typed command."""
        typed = parse(text)
        assert isinstance(typed, Typed), typed
        found = await self.front.run(Request(who, typed.command, typed.options, "local:1"))
        assert all(each.private for each in found)
        return found

    async def says(self, text: str, who: Person = ALICE) -> str:
        """The last words of these."""
        return (await self.replies(text, who))[-1].text

    async def console(self, *words: str) -> int:
        """The exit status of a command of main.py."""
        house = SimpleNamespace(office=SimpleNamespace(affairs=self.affairs))
        order = getattr(given, words[0])
        return int(await order(command_line().parse_args(words), house))

    async def deeds(self) -> list[tuple[str, str, str]]:
        """The audit log: who, what, about whom; oldest first."""
        found = await self.hall.store.read(lambda tx: tx.deeds(None, 50))
        return [(each.actor.name, each.deed.value, each.subject) for each in reversed(found)]


@pytest.fixture
def booth(hall: Hall) -> Booth:
    """The four tiers, and payments that are simulated."""
    counter = simulated_counter(hall.store, hall.clock)
    return Booth(hall, counter, counter.front(hall))


# ---- Grants ----


async def test_a_tier_is_given_and_taken_back_in_chat(booth: Booth) -> None:
    told = await booth.says("/admin grant @bob pro 30d beta tester")
    assert told == (
        "local:bob has pro until 2026-12-24 12:00 UTC without paying (grant 1). "
        "Nobody has seen this person here yet: check the id if that surprises you."
    )
    usage = await booth.replies("/usage", BOB)
    assert "**Pro** tier, given to you until 24 December 2026" in usage[-1].text
    told = await booth.says("/admin revoke @bob")
    assert told == "local:bob no longer has pro until 2026-12-24 12:00 UTC (grant 1)."
    assert "what you were given is over" in await booth.says("/usage", BOB)
    assert await booth.deeds() == [
        ("local:alice", "grant", "local:bob"),
        ("local:alice", "revoke", "local:bob"),
    ]


async def test_a_better_tier_that_somebody_has_is_told_to_the_operator(booth: Booth) -> None:
    await booth.says("/admin grant @bob pro 60d")
    told = await booth.says("/admin grant @bob premium 2027-03-01")
    assert told == (
        "local:bob has premium until 2027-03-01 00:00 UTC without paying (grant 2). "
        "What counts is pro until 2027-01-23 12:00 UTC (granted), the better one."
    )


SHORT = (
    "This is how it goes: `/admin grant <person> <tier> <until> [note]`. Missing, or not as it has to be:\n- "
)


@pytest.mark.parametrize(
    ("order", "told"),
    [
        ("/admin grant bob pro 30d", "'bob' is not a person: write discord:ID, slack:TEAM/ID or local:NAME."),
        (
            "/admin grant @bob free 30d",
            "That is no tier to give: take one that config.toml describes, and not free.",
        ),
        ("/admin grant @bob pro 2020-01-31", "That moment is over already: name one to come."),
        ("/admin grant @bob pro 2027-13-31", "'2027-13-31' is no time: write 90m, 36h, 15d, 2w, 2026-12-24"),
        ("/admin grant @bob", f"{SHORT}`tier`: The tier to give\n- `until`: A date"),
        ("/admin grant @bob gold 30d", f"{SHORT}`tier`"),
        ("/admin grant @bob pro", f"{SHORT}`until`"),
        ("/admin revoke @bob", "There is nothing of that to take back: `why` and `gifts` list"),
        ("/admin credit @bob 5 2020-01-31", "That moment is over already: name one to come."),
        ("/admin credit @bob", "This is how it goes: `/admin credit <person> <count> [until] [note]`."),
        ("/admin uncredit @bob 3", "There is nothing of that to take back: `why` and `gifts` list"),
        ("/admin gift premium", "This is how it goes: `/admin gift <tier> <days> [count]`."),
        ("/admin void", "This is how it goes: `/admin void <code>`."),
        (
            f"/admin gift pro 5 {MOST_IN_CHAT + 1}",
            "In chat 50 codes can be made at once; `main.py gift` makes more.",
        ),
        ("/admin void nonsense", "There is nothing of that to take back: `why` and `gifts` list"),
    ],
)
async def test_what_cannot_be_given_is_explained_and_not_written_down(
    booth: Booth, order: str, told: str
) -> None:
    assert (await booth.says(order)).startswith(told)
    assert await booth.deeds() == []


async def test_who_was_given_a_tier_sees_it_for_sale_and_what_they_pay_beside_it(booth: Booth) -> None:
    await booth.says("/admin grant @bob premium 30d")
    shown = (await booth.replies("/plans", BOB))[-1]
    assert [button.action for button in shown.buttons] == [
        f"upgrade:{tier}:month" for tier in ("premium", "team", "pro")
    ]
    await booth.counter.buy(TierName.PREMIUM, Interval.MONTH, BOB)
    await booth.says("/admin grant @bob pro 30d")
    assert "Your own subscription (Premium) goes on and is charged all the same" in await booth.says(
        "/usage", BOB
    )


async def test_a_grant_is_told_by_the_next_notice_in_the_members_language(booth: Booth) -> None:
    await booth.says("/admin grant @bob premium 30d")
    account = await booth.hall.store.read(lambda tx: tx.find_account(BOB))
    assert account
    (owed,) = await booth.hall.store.read(lambda tx: tx.notices(account.id))

    for language in LANGUAGES:
        with speaking(language):
            assert "**Premium**" in notice(owed).text
    with speaking("en"):
        assert "is yours until 24 December 2026: it was given to you" in notice(owed).text


# ---- Gift codes ----


async def test_codes_are_made_in_chat_and_redeemed_by_whoever_has_one(booth: Booth) -> None:
    made = await booth.says("/admin gift premium 30 2")
    first, second = CODE.findall(made)
    assert "Each of these 2 codes gives one person premium for 30 days, once." in made
    assert await booth.says(f"/redeem {first.lower()}", BOB) == (
        "Done: the **Premium** tier is yours until 24 December 2026, and costs you nothing. "
        "`/usage` shows what it gives."
    )
    assert (await booth.says(f"/redeem {first}", BOB)).startswith("You have used this code already.")
    assert (await booth.says(f"/redeem {first}", ALICE)).startswith("Somebody has used this code already.")
    assert (await booth.says("/redeem XXXX", BOB)).startswith("There is no such code")
    name = digest_of(second)[:8]
    assert await booth.says(f"/admin void {name}") == f"{name}: void."
    assert (await booth.says(f"/redeem {second}", BOB)).startswith("The operator has taken this code back.")
    listed = await booth.says("/admin gifts")
    assert "used 2026-11-24 by local:bob" in listed
    assert "void since 2026-11-24" in listed
    assert first not in listed
    assert ("local:bob", "redeem", digest_of(first)[:8]) in await booth.deeds()


async def test_days_that_come_later_are_said_to(booth: Booth) -> None:
    await booth.says("/admin grant @bob pro 10d")
    (code,) = CODE.findall(await booth.says("/admin gift premium 5"))
    assert await booth.says(f"/redeem {code}", BOB) == (
        "Done: after what you were given before, the **Premium** tier is yours from 4 December 2026 "
        "until 9 December 2026, and costs you nothing."
    )


async def test_a_code_without_any_is_answered_in_words(booth: Booth) -> None:
    assert (await booth.says("/redeem", BOB)).startswith("There is no such code")


def test_redeeming_is_for_everybody_and_private() -> None:
    command = BY_NAME["redeem"]
    assert command.private
    assert not command.operator
    assert not command.admin


# ---- Credits ----


async def test_conversations_are_given_and_the_footer_and_usage_tell_what_is_left(booth: Booth) -> None:
    told = await booth.says("/admin credit @bob 5")
    assert told.startswith(
        "local:bob has 5 conversations beyond the daily limit until 2027-02-22 12:00 UTC (credit 1). "
        "The tier's own ceiling on vendor cost holds for these, too."
    )
    assert "Extra conversations when today's are used up: 5 until 22 February 2027" in await booth.says(
        "/usage", BOB
    )
    assert await booth.says("/admin uncredit @bob") == "Taken back from local:bob: 5 of 5 (credit 1)."
    assert "Extra conversations" not in await booth.says("/usage", BOB)


def test_the_line_below_an_answer_tells_what_is_left() -> None:
    standing = Standing(TierName.FREE, 10, 10, 1, 20, credits=4)
    answered = Answered("Hi", "quick", "quick", Finish.END, standing)
    assert render.answered_footer(answered) == "quick · extra conversation, 4 left"


@pytest.mark.parametrize(("left", "told"), [(None, ""), (0, "used up, too"), (1, "left: 1. That is too few")])
def test_a_refusal_tells_what_became_of_what_was_given(left: int | None, told: str) -> None:
    refused = Refusal(RefusalReason.CONVERSATIONS, TierName.FREE, 10, NOON + DAY, credits=left)
    text = render.refusal(refused).text
    assert (told in text) if told else "xtra" not in text


# ---- The console ----


async def test_the_console_gives_lists_and_takes_back(
    booth: Booth, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await booth.console("grant", "local:bob", "pro", "--days", "30", "--note", "beta") == 0
    assert await booth.console("grant", "local:bob", "team", "--until", "2027-01-31") == 0
    assert await booth.console("credit", "local:bob", "7", "--until", "2027-01-31") == 0
    assert (
        await booth.console("gift", "premium", "--days", "30", "--count", "3", "--expires", "2027-06-30") == 0
    )
    written = capsys.readouterr()
    codes = [line for line in written.out.splitlines() if CODE.fullmatch(line)]
    assert len(codes) == 3
    assert "shown this once" in written.err
    assert await booth.console("gift", "--void", codes[0]) == 0
    assert await booth.console("gifts", "--json") == 0
    listed = json.loads(capsys.readouterr().out.partition("void.\n")[2])
    assert sorted(each["state"] for each in listed) == ["open", "open", "void"]
    assert await booth.console("gifts") == 0
    assert "open until 2027-06-30" in capsys.readouterr().out
    assert await booth.console("revoke", "local:bob", "1") == 0
    assert await booth.console("uncredit", "local:bob") == 0
    assert await booth.console("uncredit", "local:bob") == 2
    assert {deed for _, deed, _ in await booth.deeds()} == {
        "grant",
        "revoke",
        "gift",
        "gifts",
        "void",
        "credit",
        "uncredit",
    }
    assert all(actor.startswith("console:") for actor, _, _ in await booth.deeds())


async def test_a_gift_without_its_tier_or_days_is_explained(
    booth: Booth, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await booth.console("gift", "pro") == 2
    assert capsys.readouterr().err == "Name the tier and --days N, or a code with --void.\n"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("grant local:bob pro", "one of the arguments --until --days is required"),
        ("grant local:bob pro --until 2027-01-31 --days 3", "--days: not allowed with argument --until"),
        ("grant local:bob free --days 3", "invalid choice"),
        ("grant local:bob pro --until soon", "write one like 2027-01-31"),
        ("credit local:bob 0", "write one from 1 to 9999"),
    ],
)
def test_what_is_no_order_is_refused(words: str, told: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command_line().parse_args(words.split())
    assert told in capsys.readouterr().err


async def test_why_tells_what_was_given_by_whom_and_why(booth: Booth) -> None:
    await booth.says("/admin grant @bob pro 30d beta tester")
    overview = await booth.front.members.overview(BOB)

    (grant,) = json.loads(json.dumps(plain(overview)["grants"]))
    assert (grant["number"], grant["by"], grant["note"], grant["runs"]) == (
        1,
        "local:alice",
        "beta tester",
        True,
    )
    assert overview.mode is Mode.SIMULATED
    assert "Pro" in cards.usage(overview).text
