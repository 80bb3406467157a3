"""Which adapter a provider gets, and that its SDK is loaded late, once and beside the event loop."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from contextlib import aclosing

import pytest
from pydantic import SecretStr

from engine.config import ProviderRow
from engine.errors import TellOperatorError
from engine.models import TextDelta
from engine.tables import ProviderKind
from providers.registry import build_models
from tests.fakes.vendor_wire import WIRES, Vendor
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
    async with asyncio.timeout(1):
        await vendors.left.wait()
    await models.close()


@pytest.mark.parametrize("address", ["http://[oh-no", "https://", "ftp://files.example", "localhost:8000"])
async def test_a_base_url_that_is_no_address_is_a_matter_for_the_operator(address: str) -> None:
    models = build_models([row(ProviderKind.OPENAI, address)])
    for _ in range(2):
        failure = (await ask(models["openai"])).failure
        assert isinstance(failure, TellOperatorError)
        assert address in str(failure)
    await models.close()


async def test_closing_what_was_never_used_is_easy() -> None:
    models = build_models(
        [row(ProviderKind.GEMINI, "http://127.0.0.1:1"), ProviderRow("demo", ProviderKind.DEMO)]
    )
    assert len(models) == 2
    await models.close()
