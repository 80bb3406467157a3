"""One model adapter for each provider that is switched on."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping

from engine.settings import ProviderRow
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


Wired = LazyModel | DemoModel


class Models(Mapping[str, Wired]):
    """The adapters by provider name; each is an `engine.ports.Model` and closes its client with `close`.

    It may be restocked while streams run; in a running event loop only.
    """

    def __init__(self, rows: Iterable[ProviderRow]) -> None:
        self._stock = {row.name: (row, _model(row)) for row in rows}
        self._gone: dict[str, Wired] = {}
        self._leaving: dict[asyncio.Task[None], LazyModel] = {}

    def __getitem__(self, name: str) -> Wired:
        """The adapter; of a provider that is gone the last one, since questions to it may have been admitted.

        What is asked of that one then is a TryAgainError, which leads to the question's next model.
        """
        return self._stock[name][1] if name in self._stock else self._gone[name]

    def __contains__(self, name: object) -> bool:
        return name in self._stock

    def __iter__(self) -> Iterator[str]:
        return iter(self._stock)

    def __len__(self) -> int:
        return len(self._stock)

    def restock(self, rows: Iterable[ProviderRow]) -> None:
        """Have these from now on: a row that is as it was keeps its client, any other gets a new one.

        A client that is replaced or gone begins no stream any more, and is closed after its last one.
        """
        before = self._stock
        self._stock = {row.name: _kept(before.get(row.name), row) for row in rows}
        for name, (_, model) in before.items():
            if name not in self._stock:
                self._gone[name] = model
            if name not in self._stock or self._stock[name][1] is not model:
                self._retire(model)

    async def warm(self) -> None:
        """Load every vendor's SDK, one after the other, without holding up the event loop."""
        for model in list(self.values()):
            await model.warm()

    async def close(self) -> None:
        """Close all clients and their connections, those also that wait for the end of a stream."""
        leaving = dict(self._leaving)
        for task in leaving:
            task.cancel()
        await asyncio.gather(*leaving, return_exceptions=True)
        await asyncio.gather(*(model.close() for model in (*self.values(), *leaving.values())))

    def _retire(self, model: Wired) -> None:
        if isinstance(model, LazyModel):
            model.retire()
            task = asyncio.create_task(model.close_idle())
            self._leaving[task] = model
            task.add_done_callback(lambda done: self._leaving.pop(done, None))


def build_models(rows: Iterable[ProviderRow]) -> Models:
    """An adapter for each row; no SDK is imported before its first question or `warm`."""
    return Models(rows)


def _kept(known: tuple[ProviderRow, Wired] | None, row: ProviderRow) -> tuple[ProviderRow, Wired]:
    return known if known and known[0] == row else (row, _model(row))


def _model(row: ProviderRow) -> Wired:
    if row.kind is ProviderKind.DEMO:
        return DemoModel()
    key = row.api_key.get_secret_value() if row.api_key else None
    return LazyModel(ADAPTERS[row.kind], Endpoint(row.name, row.base_url, key, row.api_version))
