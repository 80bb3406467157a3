"""`main.py models` lists what config.toml has, and asks each model what it is worth."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from bot.console import trial
from bot.console.arguments import command_line
from bot.console.orders import models
from engine.config import load_settings
from engine.pricing import price_at
from providers.prices import ListPrices
from providers.registry import build_models
from tests.fakes.clock import NOON
from tests.fakes.vendor_wire import WIRES, Count, Vendor
from tests.fakes.vendors import Act, FakeVendors, Reply, Script
from tests.processes.shop import configured
from tests.program import ROOT

KEY = "sk-hush-fake"
KEYS = {f"{vendor.upper()}_API_KEY": f"{KEY}-{vendor}" for vendor in Vendor}
ENDS = {Vendor.OPENAI: "length", Vendor.ANTHROPIC: "max_tokens", Vendor.GEMINI: "MAX_TOKENS"}


def answered(vendor: Vendor) -> Script:
    """An answer that its length cut off after its first word."""
    wire = WIRES[vendor]
    return [wire.start(Count()), wire.word("Yes"), wire.stop(ENDS[vendor], Count())]


def refused(vendor: Vendor, status: int, code: str) -> Reply:
    """A refusal that repeats the key, as some servers do."""
    return Reply(status, WIRES[vendor].refusal(status, code, f"No: {KEY}-{vendor} is not welcome."))


Said = Callable[..., Awaitable[tuple[int, str]]]


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Said:
    """Runs the command; its exit status and all that it says, which never is a key."""

    async def run(variables: Mapping[str, str], *words: str) -> tuple[int, str]:
        book = ListPrices()
        settings = load_settings(
            {"CONFIG": f"{ROOT}/config.toml", **variables},
            price_now=lambda spec: price_at(spec, book, NOON),
        )
        vendors = build_models(settings.providers)
        arguments = command_line().parse_args(["models", *words])
        try:
            code = await models(arguments, settings, vendors, book, NOON)
        finally:
            await vendors.close()
        heard = capsys.readouterr()
        assert KEY not in heard.out + heard.err
        return code, heard.out + heard.err

    return run


@asynccontextmanager
async def playing(scripts: Mapping[Vendor, Sequence[Script]]) -> AsyncIterator[dict[str, str]]:
    """Variables that lead to vendors which answer so; the others are away."""
    async with AsyncExitStack() as stack:
        variables = {f"{vendor.upper()}_BASE_URL": "http://127.0.0.1:1" for vendor in Vendor}
        for vendor, plays in scripts.items():
            fake = await stack.enter_async_context(FakeVendors())
            fake.plays(*plays)
            variables[f"{vendor.upper()}_BASE_URL"] = fake.base_url(vendor)
        yield {**variables, **KEYS}


async def test_every_model_is_listed_in_a_hundred_columns_with_what_would_switch_it_on(said: Said) -> None:
    code, out = await said({"ANTHROPIC_API_KEY": KEY})
    lines = out.splitlines()
    assert code == 0
    assert max(map(len, lines)) <= 100
    assert lines[0].split()[:2] == ["MODEL", "CLASS"]
    luna = out[out.index("gpt-luna") : out.index("claude-haiku   ")]
    for words in ("everyday", "200,000", "0.10", "takes text, images", "for free, premium, team, pro"):
        assert words in luna
    assert "OFF: OPENAI_API_KEY is not set" in luna
    haiku = out[out.index("claude-haiku   ") : out.index("gemini-flash-lite   ")]
    assert "OFF" not in haiku
    assert "falls back on gpt-luna, gemini-flash-lite" in haiku


DATED = """
price = [
    { from = 2026-01-01, input = 0.075, output = 3.0, cache_write = 0.09, reasoning = 6.0 },
    { from = 2999-12-01, input = 1_000.0, output = 3.0 },
]
reasoning = "low"
"""
ROW = "price = { input = 0.01, output = 0.04 }"


async def test_a_price_of_ones_own_is_listed_with_the_one_that_comes(tmp_path: Path, said: Said) -> None:
    variables = configured(tmp_path, "http://127.0.0.1:1")
    config = tmp_path / "config.toml"
    config.write_text(config.read_text().replace(ROW, DATED))
    _, words = await said(variables)
    quick = words[words.index("\nquick") :]
    assert "price from config.toml" in quick
    assert "reasoning low" in quick
    assert "from 2999-12-01 on: input 1,000.00, cached 1,000.00" in quick
    _, listed = await said(variables, "--json")
    (facts,) = [each for each in json.loads(listed) if each["name"] == "quick"]
    now = {"input": 75_000, "cached": 75_000, "write": 90_000, "output": 3_000_000, "reasoning": 6_000_000}
    assert facts["price_micros"] == now
    assert facts["price_coming"]["from"] == "2999-12-01T00:00:00+00:00"
    assert (facts["on"], facts["tiers"]) == (True, ["free", "premium", "team", "pro"])


async def test_a_check_asks_every_model_and_says_how_to_mend_what_does_not_answer(said: Said) -> None:
    openai = (
        answered(Vendor.OPENAI),
        refused(Vendor.OPENAI, 404, "model_not_found"),
        answered(Vendor.OPENAI),
    )
    anthropic = (refused(Vendor.ANTHROPIC, 401, "authentication_error"),)
    async with playing({Vendor.OPENAI: openai, Vendor.ANTHROPIC: anthropic}) as variables:
        code, out = await said(variables, "--check")
    lines = {line.split()[1]: line for line in out.splitlines()}
    assert code == 1
    assert lines["gpt-luna"] == "ok    gpt-luna"
    assert "Check `id` in [models.gpt-sol]" in lines["gpt-sol"]
    assert lines["gpt-astra"] == "ok    gpt-astra"
    assert "Check ANTHROPIC_API_KEY: a whole key" in lines["claude-opus"]
    assert "gemini cannot be reached" in lines["gemini-flash"]
    assert "check the address of gemini" in lines["gemini-flash"]
    assert lines["demo-guide"].startswith("off   ")
    assert out.endswith("9 asked, 7 to mend, 3 not asked.\n")


NAMES = {Vendor.OPENAI: "gpt-luna", Vendor.ANTHROPIC: "claude-haiku", Vendor.GEMINI: "gemini-flash"}


@pytest.mark.parametrize("vendor", Vendor)
async def test_one_model_is_asked_alone_for_one_token(said: Said, vendor: Vendor) -> None:
    async with playing({vendor: [answered(vendor)]}) as variables:
        code, out = await said(variables, "--check", NAMES[vendor], "--json")
    assert json.loads(out) == [{"name": NAMES[vendor], "asked": True, "ok": True, "trouble": None}]
    assert code == 0


async def test_a_model_that_takes_no_question_for_so_few_tokens_is_asked_for_more(said: Said) -> None:
    few = Reply(400, WIRES[Vendor.OPENAI].refusal(400, "invalid_value", "max_tokens is too low"))
    async with playing({Vendor.OPENAI: [few, answered(Vendor.OPENAI), few]}) as variables:
        assert (await said(variables, "--check", "gpt-luna"))[1].startswith("ok    gpt-luna\n")
        code, out = await said(variables, "--check", "gpt-luna")
    assert (code, "check `kind` of the provider" in out) == (1, True)


async def test_a_model_that_says_nothing_is_waited_for_no_longer_than_its_time(
    said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial, "SECONDS", 0.05)
    async with playing({Vendor.OPENAI: [[WIRES[Vendor.OPENAI].start(Count()), Act.STALL]]}) as variables:
        code, out = await said(variables, "--check", "gpt-luna")
    assert (code, "gpt-luna  says nothing for" in out) == (1, True)


async def test_a_name_that_no_model_has_is_answered_with_those_there_are(said: Said) -> None:
    code, out = await said({}, "--check", "gpt-lune")
    assert code == 2
    assert "There is no model 'gpt-lune'" in out
    assert "gpt-luna" in out


async def test_a_model_without_its_key_fails_only_if_it_is_asked_for_by_name(said: Said) -> None:
    alone, all_of_them = await said({}, "--check", "gpt-luna"), await said({}, "--check")
    assert alone == (1, "mend  gpt-luna  OPENAI_API_KEY is not set\n0 asked, 1 to mend, 1 not asked.\n")
    assert (all_of_them[0], "ok    demo-sage" in all_of_them[1]) == (0, True)
