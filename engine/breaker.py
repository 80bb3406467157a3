"""Which models are left alone: decided here at once, and shared with all other processes in a second."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import TypeVar

from engine.circuit import PROBE_LEASE, Circuit, Fuse, Tally, opened
from engine.errors import TryAgainError
from engine.ledger import Tx
from engine.models import ModelSpec
from engine.ports import Clock, Store
from engine.unrest import Unrest, Word, calmed, fell, rose, told

log = logging.getLogger("engine.breaker")
T = TypeVar("T")


def name_of(spec: ModelSpec) -> str:
    """The circuit of a model: two names for one model of a vendor share it."""
    return f"{spec.provider}/{spec.vendor_id}"


class Breaker:
    """The circuits as this process knows them, and how its own requests went."""

    def __init__(self, store: Store, clock: Clock, owner: str, fuse: Fuse | None = None) -> None:
        self._store = store
        self._clock = clock
        self._owner = owner
        self._fuse = fuse or Fuse()
        self._open: dict[str, Circuit] = {}
        self._tallies: dict[str, Tally] = {}
        self._probing: set[str] = set()
        self._changes: dict[str, Callable[[Tx], object]] = {}
        """What is to be written of each circuit: the newest of it."""

    def closed(self, spec: ModelSpec) -> bool:
        """Whether the model may be asked by anybody."""
        return name_of(spec) not in self._open

    def until(self, spec: ModelSpec) -> datetime:
        """When the model will be asked again."""
        circuit = self._open.get(name_of(spec))
        return circuit.until if circuit else self._clock.now()

    async def enter(self, spec: ModelSpec) -> Leave | None:
        """Leave to ask the model; None while it is left alone. Only a probe asks the database for it."""
        name = name_of(spec)
        circuit = self._open.get(name)
        if circuit is None:
            return Leave(self, name)
        if name in self._probing or not circuit.due(self._clock.now()):
            return None
        return await self._take_probe(circuit)

    def insist(self, spec: ModelSpec) -> Leave:
        """Leave to ask a model that is left alone, once: there is no other that could answer."""
        name = name_of(spec)
        return Leave(self, name, self._open.get(name))

    async def share(self, also: Callable[[Tx], T]) -> T:
        """Write what changed here and read what changed elsewhere, in one unit with `also`."""
        changes, self._changes = self._changes, {}

        def work(tx: Tx) -> tuple[Sequence[Circuit], T]:
            for change in changes.values():
                change(tx)
            return tx.circuits(), also(tx)

        try:
            found, result = await (self._store.transact if changes else self._store.read)(work)
        except BaseException:
            self._changes = {**changes, **self._changes}
            raise
        self._learn(found)
        return result

    def renew(self, tx: Tx) -> None:
        """Keep this process's probes; has to be called well within their lease."""
        if self._probing:
            tx.renew_probes(self._owner, self._clock.now() + PROBE_LEASE)

    def worked(self, name: str) -> None:
        """A request brought an answer, or the beginning of one."""
        self._tally(name).note(self._clock.now(), failed=False)

    def failed(self, name: str, error: TryAgainError, probe: Circuit | None) -> None:
        """A request, or the probe of a circuit, brought nothing although it should have."""
        now, circuit = self._clock.now(), self._open.get(name)
        tally = self._tally(name)
        tally.note(now, failed=True)
        if probe and circuit:
            self._probing.discard(name)
            after = circuit.again(now, error.retry_after, str(error), self._fuse)
            self._change(after, lambda tx: tx.probe_failed(after, self._owner))
        elif circuit is None and tally.trips:
            new = opened(name, now, error.retry_after, str(error), self._fuse)
            self._change(new, partial(opening, circuit=new))
            log.warning("a model is left alone", extra={"model": name, "why": str(error)})

    def back(self, circuit: Circuit) -> None:
        """A model that was left alone has answered a question that was sent since."""
        name = circuit.name
        self._probing.discard(name)
        self._tallies.pop(name, None)
        if self._open.pop(name, None):
            self._changes[name] = partial(closing, circuit=circuit, now=self._clock.now())
            log.warning("a model answers again", extra={"model": name})

    def dropped(self, name: str) -> None:
        """A probe came to no end: another question may be one."""
        if name in self._probing:
            self._probing.discard(name)
            self._changes[name] = lambda tx: tx.drop_probe(name, self._owner)

    async def _take_probe(self, circuit: Circuit) -> Leave | None:
        name, now = circuit.name, self._clock.now()
        self._probing.add(name)

        def work(tx: Tx) -> tuple[bool, Sequence[Circuit]]:
            return tx.take_probe(name, self._owner, now, now + PROBE_LEASE), tx.circuits()

        try:
            taken, found = await self._store.transact(work)
        except TryAgainError:
            self._probing.discard(name)
            return None
        except asyncio.CancelledError:
            self.dropped(name)
            raise
        if taken:
            return Leave(self, name, circuit, probes=True)
        self._probing.discard(name)
        self._learn(found)
        return None if name in self._open else Leave(self, name)

    def _tally(self, name: str) -> Tally:
        return self._tallies.setdefault(name, Tally(self._fuse))

    def _change(self, circuit: Circuit, write: Callable[[Tx], object]) -> None:
        self._open[circuit.name] = circuit
        self._changes[circuit.name] = write

    def _learn(self, found: Sequence[Circuit]) -> None:
        """Believe what the database says, but for what is still to be written there."""
        told = {circuit.name: circuit for circuit in found if circuit.name not in self._changes}
        own = {name: circuit for name, circuit in self._open.items() if name in self._changes}
        for name in self._open.keys() - told.keys() - own.keys():
            self._tallies.pop(name, None)
        self._open = told | own


class Leave:
    """Leave to ask a model. `over` has to be called at the end."""

    def __init__(
        self, breaker: Breaker, name: str, circuit: Circuit | None = None, *, probes: bool = False
    ) -> None:
        self._breaker = breaker
        self._name = name
        self._circuit = circuit
        self._probes = probes

    def worked(self) -> None:
        """The model has begun to answer."""
        self._breaker.worked(self._name)
        self.replied()

    def replied(self) -> None:
        """The vendor works, whatever it said."""
        if self._circuit:
            self._breaker.back(self._circuit)
            self._circuit, self._probes = None, False

    def failed(self, error: TryAgainError) -> None:
        """The model did not answer."""
        self._breaker.failed(self._name, error, self._circuit if self._probes else None)
        self._probes = False

    def over(self) -> None:
        """There will be no more requests."""
        if self._probes:
            self._breaker.dropped(self._name)


def opening(tx: Tx, circuit: Circuit) -> None:
    """Let all processes leave a model alone, and tell the operator, unless it comes and goes."""
    known = tx.open_circuit(circuit)
    after, word = fell(tx.hold_unrest(known.name), known.name, known.opened_at)
    speak(tx, after, word, known.opened_at, circuit.why)


def closing(tx: Tx, circuit: Circuit, now: datetime) -> None:
    """Let all processes ask a model again, and tell the operator, unless it comes and goes."""
    if tx.close_circuit(circuit):
        after, word = rose(tx.hold_unrest(circuit.name), circuit.name, circuit.opened_at, now)
        speak(tx, after, word, now)


def calming(tx: Tx, name: str, now: datetime) -> None:
    """Tell the operator what a model that came and went has settled down to; forget it once that is long."""
    held = tx.hold_unrest(name)
    if held is None:
        return
    after, word = calmed(held, now)
    why = next((each.why for each in tx.circuits() if each.name == name), "")
    speak(tx, after, word, now, why)
    if after.over(now):
        tx.forget_unrest(name)


def speak(tx: Tx, unrest: Unrest, word: Word | None, at: datetime, why: str = "") -> None:
    """Keep what is known of a model, and owe the operator a word on it if there is one."""
    tx.keep_unrest(unrest)
    if word:
        tx.raise_alert(told(unrest, word, at, why))
