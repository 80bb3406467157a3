"""When a model that keeps failing is left alone, and how it is found out that it works again; pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

PROBE_LEASE = timedelta(seconds=60)
"""How long a probe outlives its process; renewed while it is alive."""
LONGEST_ASKED = timedelta(days=1)
"""What a vendor that asks us to wait is believed at most."""


@dataclass(frozen=True, slots=True)
class Fuse:
    """What makes a circuit open: of at least `fewest` requests within `window`, `share` have failed."""

    window: timedelta = timedelta(seconds=60)
    fewest: int = 6
    share: float = 0.5
    rest: timedelta = timedelta(seconds=15)
    """Until the first probe, unless the vendor asked for longer; doubled with each probe that fails."""
    longest: timedelta = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Circuit:
    """An open one: its model is left alone before `until`, then asked by one question at a time, the probe.

    There is no row of a closed one. `name` is the vendor and its name of the model.
    """

    name: str
    opened_at: datetime
    until: datetime
    failed: int = 0
    """Probes since it opened."""
    probe_until: datetime | None = None
    """When the probe under way is taken for lost; None: there is none."""
    why: str = ""
    """The last failure, in our own words."""

    def due(self, now: datetime) -> bool:
        """Whether a probe may be sent."""
        return self.until <= now and (self.probe_until is None or self.probe_until <= now)

    def again(self, now: datetime, asked: float | None, why: str, fuse: Fuse) -> Circuit:
        """The same after a probe that failed, the vendor having asked us to wait so many seconds or not."""
        failed = self.failed + 1
        until = now + rest(failed, asked, fuse)
        return replace(self, until=until, failed=failed, probe_until=None, why=why)


def opened(name: str, now: datetime, asked: float | None, why: str, fuse: Fuse) -> Circuit:
    """A circuit that opens now."""
    return Circuit(name, now, now + rest(0, asked, fuse), why=why)


def rest(failed: int, asked: float | None, fuse: Fuse) -> timedelta:
    """How long a model is left alone after so many probes, and at least as long as its vendor asked for."""
    own = min(fuse.rest * (1 << min(failed, 16)), fuse.longest)
    return max(own, min(timedelta(seconds=min(asked or 0.0, 1e6)), LONGEST_ASKED))


@dataclass(slots=True)
class Tally:
    """How the requests to one model went lately."""

    fuse: Fuse
    _ends: deque[tuple[datetime, bool]] = field(default_factory=deque)
    _failed: int = 0

    def note(self, now: datetime, *, failed: bool) -> None:
        """One more; those before the window are forgotten."""
        self._ends.append((now, failed))
        self._failed += failed
        while self._ends[0][0] <= now - self.fuse.window:
            self._failed -= self._ends.popleft()[1]

    @property
    def trips(self) -> bool:
        """Whether so many failed that the model had better be left alone."""
        enough = len(self._ends) >= self.fuse.fewest
        return enough and self._failed >= self.fuse.share * len(self._ends)


class CircuitsTx(Protocol):
    """What all processes know of models that are left alone."""

    def circuits(self) -> Sequence[Circuit]:
        """All that are open."""
        ...

    def open_circuit(self, circuit: Circuit) -> Circuit:
        """Open it; as it is now: one that is open already stays so, until the later of the two times."""
        ...

    def take_probe(self, name: str, owner: str, now: datetime, until: datetime) -> bool:
        """Let this process's next question be the probe; False unless it is due for everybody."""
        ...

    def renew_probes(self, owner: str, until: datetime) -> None:
        """Keep the probes of this process."""
        ...

    def probe_failed(self, circuit: Circuit, owner: str) -> None:
        """Leave the model alone until the circuit's new time, if the probe is still this process's."""
        ...

    def drop_probe(self, name: str, owner: str) -> None:
        """Let another question be the probe, as this one came to no end."""
        ...

    def close_circuit(self, circuit: Circuit) -> bool:
        """The model works; False if somebody else has found that out, or it was opened anew since."""
        ...
