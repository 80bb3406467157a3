"""Models that all processes leave alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from engine.circuit import Circuit
from storage.session import Row, Session, moment, moment_or_none


class Circuits:
    """CircuitsTx on a session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def circuits(self) -> Sequence[Circuit]:
        return [circuit_from(row) for row in self._session.all("circuits")]

    def open_circuit(self, circuit: Circuit) -> Circuit:
        row = self._session.one(
            "open_circuit",
            name=circuit.name,
            opened_at=circuit.opened_at,
            open_until=circuit.until,
            why=circuit.why,
        )
        if row is None:
            raise AssertionError("an upsert returns its row")
        return circuit_from(row)

    def take_probe(self, name: str, owner: str, now: datetime, until: datetime) -> bool:
        return self._session.run("take_probe", name=name, owner=owner, now=now, until=until) == 1

    def renew_probes(self, owner: str, until: datetime) -> None:
        self._session.run("renew_probes", owner=owner, until=until)

    def probe_failed(self, circuit: Circuit, owner: str) -> None:
        self._session.run(
            "probe_failed",
            name=circuit.name,
            owner=owner,
            open_until=circuit.until,
            failed=circuit.failed,
            why=circuit.why,
        )

    def drop_probe(self, name: str, owner: str) -> None:
        self._session.run("drop_probe", name=name, owner=owner)

    def close_circuit(self, circuit: Circuit) -> bool:
        return self._session.run("close_circuit", name=circuit.name, opened_at=circuit.opened_at) == 1


def circuit_from(row: Row) -> Circuit:
    """A circuit as it is kept."""
    return Circuit(
        name=row["name"],
        opened_at=moment(row["opened_at"]),
        until=moment(row["open_until"]),
        failed=row["failed"],
        probe_until=moment_or_none(row["probe_until"]),
        why=row["why"],
    )
