"""Which adapter a provider gets, and that its SDK is loaded late, once and beside the event loop."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from contextlib import aclosing
from dataclasses import replace

import pytest
from httpx2 import Limits
from pydantic import SecretStr

from engine.errors import TellOperatorError, TryAgainError
from engine.models import Finished, TextDelta
from engine.settings import ProviderRow
from engine.tables import ProviderKind
from providers.registry import build_models
from tests.fakes.pulse import PATIENCE
from tests.fakes.vendor_wire import WIRES, Count, Vendor
from tests.fakes.vendors import Act, FakeVendors
from tests.providers.conftest import ask, question
from tests.providers.test_streams import answer

SDKS = ("openai", "anthropic", "google.genai")


def row(kind: ProviderKind, base_url: str) -> ProviderRow:
    """A provider as config.toml and the environment give it."""
    return ProviderRow(kind.value, kind, base_url, SecretStr("sk-fake"))


def test_no_sdk_is_imported_before_it_is_wanted() -> None:
    code = f"import sys, providers.registry; sys.exit(any(name in sys.modules for name in {SDKS}))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


async def test_every_kind_of_provider_answers_by_its_name(vendors: FakeVendors) -> None:
    kinds = {
        ProviderKind.OPENAI: Vendor.OPENAI,
        ProviderKind.ANTHROPIC: Vendor.ANTHROPIC,
        ProviderKind.GEMINI: Vendor.GEMINI,
        ProviderKind.COMPATIBLE: Vendor.OPENAI,
    }
    models = build_models(row(kind, vendors.base_url(vendor)) for kind, vendor in kinds.items())
    assert set(models) == {kind.value for kind in kinds}
    await models.warm()
    for kind, vendor in kinds.items():
        vendors.plays(answer(vendor, "Yes."))
        assert (await ask(models[kind.value])).text == "Yes."
    await models.close()


async def test_many_first_questions_share_one_client(vendors: FakeVendors) -> None:
    vendors.plays(answer(Vendor.OPENAI, "Yes."))
    models = build_models([row(ProviderKind.OPENAI, vendors.base_url(Vendor.OPENAI))])
    impatient = asyncio.create_task(ask(models["openai"]))
    patient = [asyncio.create_task(ask(models["openai"])) for _ in range(3)]
    await asyncio.sleep(0)
    impatient.cancel()
    assert [(await each).text for each in patient] == ["Yes."] * 3
    await models.close()


async def test_leaving_a_lazy_answer_ends_its_request(vendors: FakeVendors) -> None:
    vendors.plays([WIRES[Vendor.OPENAI].word("Once"), Act.STALL])
    models = build_models([row(ProviderKind.OPENAI, vendors.base_url(Vendor.OPENAI))])
    async with aclosing(models["openai"].stream(question())) as chunks:
        assert await anext(chunks) == TextDelta("Once")
    await vendors.hears_nobody()
    await models.close()


@pytest.mark.parametrize("address", ["http://[oh-no", "https://", "ftp://files.example", "localhost:8000"])
async def test_a_base_url_that_is_no_address_is_a_matter_for_the_operator(address: str) -> None:
    models = build_models([row(ProviderKind.OPENAI, address)])
    for _ in range(2):
        failure = (await ask(models["openai"])).failure
        assert isinstance(failure, TellOperatorError)
        assert address in str(failure)
    await models.close()


async def held(vendors: FakeVendors, connections: int) -> None:
    """Wait until clients hold so many connections open."""
    async with asyncio.timeout(PATIENCE):
        while vendors.open_connections != connections:  # noqa: ASYNC110 - a server tells nobody that it lost one
            await asyncio.sleep(0.005)


@pytest.mark.parametrize("vendor", [Vendor.OPENAI, Vendor.ANTHROPIC])
async def test_no_limit_of_an_sdk_lets_a_stream_wait_for_others(
    vendors: FakeVendors, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"{vendor}._base_client.DEFAULT_CONNECTION_LIMITS", Limits(max_connections=2))
    vendors.plays([WIRES[vendor].start(Count()), Act.STALL])
    models = build_models([row(ProviderKind(vendor.value), vendors.base_url(vendor))])
    asking = [asyncio.create_task(ask(models[vendor.value])) for _ in range(4)]
    await held(vendors, 4)
    for each in asking:
        each.cancel()
    await asyncio.gather(*asking, return_exceptions=True)
    await models.close()


async def test_restocking_with_the_same_rows_keeps_every_client(vendors: FakeVendors) -> None:
    vendors.plays(answer(Vendor.OPENAI, "Yes."))
    known = row(ProviderKind.OPENAI, vendors.base_url(Vendor.OPENAI))
    models = build_models([known])
    before = models["openai"]
    await ask(before)
    models.restock(
        [row(ProviderKind.OPENAI, vendors.base_url(Vendor.OPENAI)), ProviderRow("demo", ProviderKind.DEMO)]
    )
    assert models["openai"] is before
    assert set(models) == {"openai", "demo"}
    assert (await ask(models["openai"])).text == "Yes."
    assert vendors.connections == 1
    await models.close()


async def test_a_changed_row_gets_a_new_client_while_the_old_one_ends_its_stream(
    vendors: FakeVendors,
) -> None:
    wire = WIRES[Vendor.OPENAI]
    gate = asyncio.Event()
    vendors.plays([wire.word("Once"), gate, wire.word(" more"), wire.stop("stop", Count())])
    known = row(ProviderKind.OPENAI, vendors.base_url(Vendor.OPENAI))
    models = build_models([known])
    async with aclosing(models["openai"].stream(question())) as chunks:
        assert await anext(chunks) == TextDelta("Once")
        models.restock([replace(known, api_key=SecretStr("sk-rotated"))])
        vendors.plays(answer(Vendor.OPENAI, "Yes."))
        assert (await ask(models["openai"])).text == "Yes."
        assert [asked.headers["Authorization"] for asked in vendors.asked] == [
            "Bearer sk-fake",
            "Bearer sk-rotated",
        ]
        gate.set()
        assert await anext(chunks) == TextDelta(" more")
        assert isinstance(await anext(chunks), Finished)
    await held(vendors, 1)
    await models.close()
    await held(vendors, 0)


async def test_a_vendor_that_is_gone_is_closed_after_its_last_stream_and_asked_nothing_more(
    vendors: FakeVendors,
) -> None:
    vendors.plays([WIRES[Vendor.OPENAI].word("Once"), Act.STALL])
    models = build_models([row(ProviderKind.OPENAI, vendors.base_url(Vendor.OPENAI))])
    async with aclosing(models["openai"].stream(question())) as chunks:
        assert await anext(chunks) == TextDelta("Once")
        models.restock([])
        assert "openai" not in models
        assert not models
        assert type((await ask(models["openai"])).failure) is TryAgainError
        assert vendors.open_connections == 1
    await held(vendors, 0)
    with pytest.raises(KeyError):
        models["never-there"]
    await models.close()


async def test_the_end_of_the_process_does_not_wait_for_a_stream_of_a_vendor_that_is_gone(
    vendors: FakeVendors,
) -> None:
    vendors.plays([WIRES[Vendor.OPENAI].word("Once"), Act.STALL])
    models = build_models([row(ProviderKind.OPENAI, vendors.base_url(Vendor.OPENAI))])
    async with aclosing(models["openai"].stream(question())) as chunks:
        await anext(chunks)
        models.restock([])
        await models.close()
        await held(vendors, 0)


async def test_closing_what_was_never_used_is_easy() -> None:
    models = build_models(
        [row(ProviderKind.GEMINI, "http://127.0.0.1:1"), ProviderRow("demo", ProviderKind.DEMO)]
    )
    assert len(models) == 2
    await models.close()
