"""What the fake Stripe knows: its objects, its clock and who hears of its events."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import uuid4

from tests.fakes.stripe.concealment import conceal
from tests.fakes.stripe.shapes import Shapes
from tests.fakes.stripe.wire import Json, copied, in_other_mode, missing

API_VERSION = "2026-10-28.endive"

Listener = Callable[[Json], None]
Wall = Callable[[], float]


def new_id(prefix: str) -> str:
    """An id that looks like one of Stripe's."""
    return f"{prefix}_{uuid4().hex[:24]}"


@dataclass(slots=True)
class World:
    """All state.

    `wall` is the time of the world around in Unix seconds, `offset` how far Stripe was moved ahead of it.
    `plans` are what open Checkout sessions will sell, `declining` the customers whose cards fail,
    `authenticating` those whose bank asks them first, and `cause` is the API request that is being served,
    for the events it leads to. `after_dunning` is what the last failed retry does to a subscription (cancel,
    unpaid, paused or past_due), `draft_seconds` how long a renewal's invoice stays a draft, `pending_lines`
    the prorations by subscription that wait for its next invoice, and `proposals` the changes by
    subscription that wait for a payment. `reminded` are the subscriptions and trial ends that were announced.
    """

    shapes: Shapes
    wall: Wall = time.time
    livemode: bool = False
    elsewhere: set[str] = field(default_factory=set)
    """Ids of the other mode's objects, which Stripe names as such when they are asked for."""
    offset: int = 0
    base_url: str = ""
    tables: dict[str, dict[str, Json]] = field(default_factory=lambda: defaultdict(dict))
    plans: dict[str, Json] = field(default_factory=dict)
    endpoint_secrets: dict[str, list[str]] = field(default_factory=dict)
    declining: set[str] = field(default_factory=set)
    authenticating: set[str] = field(default_factory=set)
    after_dunning: str = "cancel"
    draft_seconds: int = 0
    pending_lines: dict[str, list[Json]] = field(default_factory=lambda: defaultdict(list))
    proposals: dict[str, Json] = field(default_factory=dict)
    reminded: set[tuple[str, int]] = field(default_factory=set)
    listeners: list[Listener] = field(default_factory=list)
    cause: Json = field(default_factory=lambda: {"id": None, "idempotency_key": None})

    def now(self) -> int:
        """Unix seconds on the fake's clock."""
        return int(self.wall()) + self.offset

    def make(self, name: str, prefix: str, values: Json) -> Json:
        """Make and keep an object of a schema; its id begins with `prefix` unless the values carry one."""
        born = {"id": new_id(prefix), "created": self.now(), "livemode": self.livemode}
        known = self.shapes.fields(name)
        made = self.shapes.make(name, {field: born[field] for field in born if field in known} | values)
        self.tables[name][made["id"]] = made
        return made

    def rows(self, name: str) -> list[Json]:
        """All objects of a schema, newest first as Stripe lists them."""
        return list(reversed(self.tables[name].values()))

    def get(self, name: str, wanted: str, param: str, *, status: int = 404) -> Json:
        """One object; StripeError `resource_missing` if there is none."""
        found = self.tables[name].get(wanted)
        if found is None:
            hint = in_other_mode(livemode=not self.livemode) if wanted in self.elsewhere else ""
            raise missing(name, wanted, param, status=status, hint=hint)
        return found

    def find(self, wanted: str) -> Json | None:
        """An object of any schema by its id."""
        return next((table[wanted] for table in self.tables.values() if wanted in table), None)

    def emit(self, kind: str, subject: Json) -> Json:
        """Record an event with the subject as it is now, and tell the listeners."""
        values = {
            "api_version": API_VERSION,
            "data": {"object": conceal(copied(subject))},
            "pending_webhooks": 0,
            "request": dict(self.cause),
            "type": kind,
        }
        event = self.make("event", "evt", values)
        for listener in self.listeners:
            listener(event)
        return event


def list_of(data: list[Json], url: str) -> Json:
    """A whole list object."""
    return {"object": "list", "data": data, "has_more": False, "url": url}


def merge_metadata(subject: Json, update: Json | str) -> None:
    """Stripe's merge: given keys replace, empty values delete, an empty string clears."""
    if isinstance(update, str):
        subject["metadata"] = {}
        return
    merged = (subject["metadata"] or {}) | update
    subject["metadata"] = {name: value for name, value in merged.items() if value != ""}
