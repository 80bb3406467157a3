"""Where the simulated Stripe's objects are found and kept, within one unit of work."""

from __future__ import annotations

import re
import secrets
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TypeVar

from billing.simulated_objects import Invoice, Kept, Payer, Quarrel, event
from billing.simulated_plans import Affairs, Plan
from engine.errors import GoneError
from engine.ledger import Tx
from engine.simulated import SimulatedObject

K = TypeVar("K", bound=Kept)

_ID = re.compile(r"sim_[A-Za-z0-9_\-]{1,120}")
"""Addresses carry ids, so anything may stand there."""


def find(tx: Tx, kind: type[K], wanted: str) -> K:
    """An object of that kind and id; GoneError if there is none."""
    obj = tx.get_object(wanted) if _ID.fullmatch(wanted) else None
    if obj is None or obj.kind != kind.KIND:
        raise GoneError(f"there is no such simulated {kind.KIND}")
    return kind.read(obj)


def load(tx: Tx, customer: str) -> Affairs:
    """A customer's affairs as they were last written; GoneError if there is no such customer.

    Its own row is read first: in a unit that writes, that locks everything that is grouped under it.
    """
    payer = find(tx, Payer, customer)
    return Affairs(
        payer,
        tuple(Plan.read(obj) for obj in tx.objects(Plan.KIND, customer)),
        tuple(Invoice.read(obj) for obj in tx.objects(Invoice.KIND, customer)),
        tuple(Quarrel.read(obj) for obj in tx.objects(Quarrel.KIND, customer)),
    )


def load_all(tx: Tx) -> Sequence[Affairs]:
    """Everybody's affairs as they were last written, in one go."""
    plans = _grouped(Plan, tx.objects(Plan.KIND))
    invoices = _grouped(Invoice, tx.objects(Invoice.KIND))
    quarrels = _grouped(Quarrel, tx.objects(Quarrel.KIND))
    payers = map(Payer.read, tx.objects(Payer.KIND))
    return [
        Affairs(payer, tuple(plans[payer.id]), tuple(invoices[payer.id]), tuple(quarrels[payer.id]))
        for payer in payers
    ]


def keep(tx: Tx, before: Affairs, after: Affairs, now: datetime) -> None:
    """Write down what differs, and an event for each piece of news."""
    known = set(_objects(before))
    for each in _objects(after):
        if each not in known:
            tx.put_object(each.stored())
    token = secrets.token_hex(8)
    for number, news in enumerate(after.news):
        name = f"sim_evt_{token}_{number}"
        tx.put_object(event(name, news.kind, news.about, after.payer.id, now))


def _objects(affairs: Affairs) -> Iterable[Payer | Plan | Invoice | Quarrel]:
    return (affairs.payer, *affairs.plans, *affairs.invoices, *affairs.quarrels)


def _grouped(kind: type[K], stored: Iterable[SimulatedObject]) -> defaultdict[str, list[K]]:
    groups: defaultdict[str, list[K]] = defaultdict(list)
    for obj in stored:
        groups[obj.owner].append(kind.read(obj))
    return groups
