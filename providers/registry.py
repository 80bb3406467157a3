"""One model adapter for each provider that is switched on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping

from engine.config import ProviderRow
from engine.tables import ProviderKind
from providers.demo import DemoModel
from providers.endpoint import Endpoint
from providers.lazy import Adapter, LazyModel


class Models(Mapping[str, LazyModel | DemoModel]):
    """The adapters by provider name; each is an `engine.ports.Model` and closes its client with `close`."""

    def __init__(self, models: Mapping[str, LazyModel | DemoModel]) -> None:
        self._models = dict(models)

    def __getitem__(self, name: str) -> LazyModel | DemoModel:
        return self._models[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._models)

    def __len__(self) -> int:
        return len(self._models)

    async def warm(self) -> None:
        """Load every vendor's SDK, one after the other, without holding up the event loop."""
        for model in self.values():
            await model.warm()

    async def close(self) -> None:
        """Close all clients and their connections."""
        await asyncio.gather(*(model.close() for model in self.values()))


def build_models(rows: Iterable[ProviderRow]) -> Models:
    """An adapter for each row; no SDK is imported before its first question or `warm`."""
    return Models({row.name: _model(row) for row in rows})


def _model(row: ProviderRow) -> LazyModel | DemoModel:
    if row.kind is ProviderKind.DEMO:
        return DemoModel()
    key = row.api_key.get_secret_value() if row.api_key else None
    endpoint, make = Endpoint(row.name, row.base_url, key, row.api_version), MAKERS[row.kind]

    def checked() -> Adapter:
        endpoint.check()
        return make(endpoint)

    return LazyModel(checked)


def _openai(endpoint: Endpoint) -> Adapter:
    from providers.openai import OpenAIModel  # noqa: PLC0415 - imports the SDK

    return OpenAIModel(endpoint)


def _compatible(endpoint: Endpoint) -> Adapter:
    from providers.compatible import CompatibleModel  # noqa: PLC0415 - imports the SDK

    return CompatibleModel(endpoint)


def _anthropic(endpoint: Endpoint) -> Adapter:
    from providers.anthropic import AnthropicModel  # noqa: PLC0415 - imports the SDK

    return AnthropicModel(endpoint)


def _gemini(endpoint: Endpoint) -> Adapter:
    from providers.gemini import GeminiModel  # noqa: PLC0415 - imports the SDK

    return GeminiModel(endpoint)


MAKERS: Mapping[ProviderKind, Callable[[Endpoint], Adapter]] = {
    ProviderKind.OPENAI: _openai,
    ProviderKind.COMPATIBLE: _compatible,
    ProviderKind.ANTHROPIC: _anthropic,
    ProviderKind.GEMINI: _gemini,
}
