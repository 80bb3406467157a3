"""What the doctor finds at each vendor by asking for its list of models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
from pydantic import SecretStr

from engine.checkup import Finding, Light, wrong
from engine.settings import ProviderRow
from engine.tables import ProviderKind
from providers.checkup import check_vendors
from providers.registry import build_models
from tests.engine.conftest import DEEP, QUICK
from tests.fakes.vendor_wire import WIRES, Json, Vendor
from tests.fakes.vendors import FakeVendors, Reply

KEY = "sk-fake-for-tests"
KINDS = {
    Vendor.OPENAI: ProviderKind.OPENAI,
    Vendor.ANTHROPIC: ProviderKind.ANTHROPIC,
    Vendor.GEMINI: ProviderKind.GEMINI,
}
LISTS: Mapping[Vendor, Json] = {
    Vendor.OPENAI: {
        "object": "list",
        "data": [{"id": "quick-1", "object": "model", "created": 1, "owned_by": "us"}],
    },
    Vendor.ANTHROPIC: {
        "data": [
            {
                "type": "model",
                "id": "quick-1",
                "display_name": "Quick",
                "created_at": "2026-01-01T00:00:00Z",
            }
        ],
        "has_more": False,
        "first_id": "quick-1",
        "last_id": "quick-1",
    },
    Vendor.GEMINI: {"models": [{"name": "models/quick-1"}]},
}


async def found(vendor: Vendor, fake: FakeVendors, kind: ProviderKind | None = None) -> Sequence[Finding]:
    """What is found at a vendor with two models of ours."""
    row = ProviderRow("one", kind or KINDS[vendor], fake.base_url(vendor), SecretStr(KEY), "v1beta")
    models = build_models([row])
    try:
        shelf = (QUICK, replace(DEEP, provider="one"))
        return await check_vendors(models, shelf, {"one": "ONE_API_KEY"})
    finally:
        await models.close()


@pytest.mark.parametrize("vendor", Vendor)
async def test_a_key_that_is_taken_is_green_and_an_id_that_is_not_listed_is_named(vendor: Vendor) -> None:
    async with FakeVendors() as fake:
        fake.lists = Reply(200, LISTS[vendor])
        well, unlisted = await found(vendor, fake)
    assert (well.light, well.what) == (Light.GREEN, "one takes the key and lists 1 of our 2 models")
    assert (unlisted.light, unlisted.what) == (Light.YELLOW, "one does not list deep-1 (deep)")
    assert "[models.deep]" in unlisted.mend


@pytest.mark.parametrize("vendor", Vendor)
async def test_a_key_that_is_refused_is_red_and_names_the_variable_but_not_the_key(vendor: Vendor) -> None:
    async with FakeVendors() as fake:
        fake.lists = Reply(401, WIRES[vendor].refusal(401, "authentication_error", f"{KEY} is not welcome."))
        (said,) = await found(vendor, fake)
    assert said.light is Light.RED
    assert "401" in said.what
    assert "ONE_API_KEY" in said.mend
    assert KEY not in f"{said.what} {said.mend}"


@pytest.mark.parametrize("vendor", Vendor)
async def test_a_vendor_in_trouble_is_red_with_what_to_check(vendor: Vendor) -> None:
    async with FakeVendors() as fake:
        fake.lists = Reply(503, WIRES[vendor].refusal(503, "overloaded", "Later."))
        (said,) = await found(vendor, fake)
    assert said.light is Light.RED
    assert "try again" in said.mend


@pytest.mark.parametrize("body", ["<html>Hello</html>", {"hello": "there"}])
async def test_a_server_without_a_list_of_models_is_not_held_against_it(body: Json | str) -> None:
    async with FakeVendors() as fake:
        fake.lists = Reply(200, body)
        (said,) = await found(Vendor.OPENAI, fake, ProviderKind.COMPATIBLE)
    assert (said.light, said.what) == (Light.YELLOW, "one lists no models")
    assert "models --check" in said.mend


async def test_nobody_to_ask_is_told_with_what_to_set() -> None:
    (said,) = await check_vendors({}, (QUICK,), {})
    assert said.light is Light.YELLOW
    assert "OPENAI_API_KEY" in said.mend


def test_others_words_of_several_sentences_stay_what_is_wrong() -> None:
    found = wrong("Models", "it says: No. Not now", mend="Check the key.")
    assert (found.what, found.mend) == ("it says: No. Not now", "Check the key.")
    assert (wrong("Models", "It is away. Wait.").mend, wrong("Models", "It is away.").mend) == ("Wait.", "")
