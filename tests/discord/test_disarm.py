"""Nothing that a model writes can pass for what the bot says, and nothing of it gets lost by that."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.discord.canvas import PAGE_LIMIT, of_frame
from bot.discord.disarm import UNBROKEN, disarmed
from bot.discord.views import TEXT_LIMIT
from bot.reply import Frame, State
from bot.split import pages, utf16
from tests.discord.conftest import Stage
from tests.fakes.discord.components import SEPARATOR
from tests.fakes.discord.shapes import ATTACH

PIECES = (
    "-#",
    " ",
    "\n",
    "-# quick",
    "```",
    "`",
    "~~~",
    "[a](https://b.example/c)",
    "](",
    ")",
    "x" * 9,
    "😀",
    "\\",
    "> ",
)
HOST = re.compile(r"(\]\([^\n]*?\)) \((?:b\.example|\?|[a-z]+:)\)")
TEXTS = st.lists(st.sampled_from(PIECES), max_size=60).map("".join)


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("-# conversation 1 of 10", f"{UNBROKEN}# conversation 1 of 10"),
        ("> - -# small", f"> - {UNBROKEN}# small"),
        ("a - b -#tag", "a - b -#tag"),
        (
            "[Upgrade: $8.99](https://evil.example/pay)",
            "[Upgrade: $8.99](https://evil.example/pay) (evil.example)",
        ),
        (
            "[Pay](<https://stripe.com@evil.example>)",
            "[Pay](<https://stripe.com@evil.example>) (evil.example)",
        ),
        ("[x](https://e.example/(a)", "[x](https://e.example/(a) (e.example)"),
        ("[app](discord://x)", "[app](discord://x) (x)"),
        ("[mail](mailto:a@b.example)", "[mail](mailto:a@b.example) (mailto:)"),
        ("```diff\n-# kept\n[k](https://k.example)\n```", "```diff\n-# kept\n[k](https://k.example)\n```"),
        ("- so:\n  ```\n  -# kept\n  ```\n-# not", f"- so:\n  ```\n  -# kept\n  ```\n{UNBROKEN}# not"),
        ("```\na ``` \n-# forged\n```", f"```\na ``` \n{UNBROKEN}# forged\n```"),
        ("`\n```\n` \n-# forged\n```", f"`\n```\n` \n{UNBROKEN}# forged\n```"),
        ("~~~\n-# forged\n~~~", f"~~~\n{UNBROKEN}# forged\n~~~"),
        ("\\```\n-# forged\n```", f"\\```\n{UNBROKEN}# forged\n```"),
        ("```\n-# never closed", f"```\n{UNBROKEN}# never closed"),
    ],
)
def test_small_print_and_masked_links_are_disarmed_outside_of_code(written: str, shown: str) -> None:
    assert disarmed(written, PAGE_LIMIT) == shown


@settings(max_examples=150)
@given(TEXTS)
def test_a_disarmed_text_is_the_text_but_for_hosts_and_hyphens(text: str) -> None:
    shown = disarmed(text, PAGE_LIMIT)
    assert HOST.sub(r"\1", shown).replace(UNBROKEN, "-") == text
    assert utf16(disarmed(text, utf16(text))) <= utf16(text)


@settings(max_examples=60)
@given(TEXTS.map(lambda text: text * 30), st.sampled_from(State))
def test_the_pages_of_an_answer_less_their_frames_are_the_answer(text: str, state: State) -> None:
    told = ("It broke. " * 30,) if state in {State.STOPPED, State.FAILED} else ()
    wanted = [page.rstrip() for page in pages(text, PAGE_LIMIT)]
    shown = of_frame(Frame((*wanted, *told), state, "quick", text=text))
    bare = [HOST.sub(r"\1", page.text).replace(UNBROKEN, "-") for page in shown]
    assert [re.sub("[()<> ]", "", page) for page in bare if page] == [
        re.sub("[()<> ]", "", page) for page in wanted
    ]
    assert all(page.footer for page in shown)
    assert all(utf16(page.text) + utf16(page.notice) + utf16(page.footer) + 3 <= TEXT_LIMIT for page in shown)


async def test_a_forged_notice_is_no_box_and_a_page_never_stands_alone(stage: Stage) -> None:
    forged = "**SIMULATED**: no real money moves.\n-# quick · conversation 1 of 10\n[Upgrade: $8.99](https://evil.example)\n"
    stage.model.words = (forged, *("word " * 700 for _ in range(4)))
    stage.discord.say("alice", "general", "forge", mention_bot=True)
    (last,) = await stage.shown(words="conversation 1 of 3")
    first, *rest = [one for one in stage.discord.transcript() if one.author.bot]
    assert first.text.startswith(
        f"**SIMULATED**: no real money moves.\n{UNBROKEN}# quick · conversation 1 of 10\n"
        "[Upgrade: $8.99](https://evil.example) (evil.example)\n"
    )
    assert all(one.text.endswith("\n-# continues below") for one in (first, *rest[:-1]))
    assert all(SEPARATOR in [node["type"] for node in one.wire["components"]] for one in (first, *rest))
    assert not any(one.boxed() for one in (first, *rest))
    assert not any(one.buttons() for one in (first, *rest[:-1]))
    assert last.files["answer.md"].decode() == "".join(stage.model.words)


async def test_without_the_right_to_attach_a_long_answer_comes_without_its_file(stage: Stage) -> None:
    stage.discord.world.deny(stage.discord.world.channel("general"), ATTACH)
    stage.model.words = tuple("word " * 700 for _ in range(5))
    stage.discord.say("alice", "general", "Hi", mention_bot=True)
    (last,) = await stage.shown(words="conversation 1 of 3")
    assert last.files == {}


@pytest.mark.parametrize("piece", ["](a:(", "[](a:", "](a:b (c", "](a: '", "(", "](a:\\"])
def test_a_text_full_of_links_that_never_end_holds_nobody_up(piece: str) -> None:
    text = "[x](https://e.example/" + piece * (PAGE_LIMIT // len(piece))
    began = time.perf_counter()
    disarmed(text, PAGE_LIMIT)
    assert time.perf_counter() - began < 1
