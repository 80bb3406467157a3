"""One model adapter for each provider that is switched on."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping

from engine.config import ProviderRow
from engine.tables import ProviderKind
from providers.demo import DemoModel
from providers.endpoint import Endpoint
from providers.lazy import LazyModel

ADAPTERS: Mapping[ProviderKind, str] = {
    ProviderKind.OPENAI: "providers.openai",
    ProviderKind.COMPATIBLE: "providers.compatible",
    ProviderKind.ANTHROPIC: "providers.anthropic",
    ProviderKind.GEMINI: "providers.gemini",
}
"""The module that speaks to each kind of vendor; importing it imports the vendor's SDK."""


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
    return LazyModel(ADAPTERS[row.kind], Endpoint(row.name, row.base_url, key, row.api_version))
