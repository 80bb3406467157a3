"""Serves one API request: checks it against the spec, replays or performs it, checks the answer too."""

from __future__ import annotations

import json
import time
from collections import Counter
from dataclasses import dataclass, field

from tests.fakes.stripe import (
    account,
    catalogue,
    checkout,
    customers,
    destinations,
    discounts,
    events,
    invoices,
    meters,
    moneyback,
    payments,
    portal,
    portal_sessions,
    prices,
    schedules,
    subscriptions,
)
from tests.fakes.stripe.calls import Call, Routes
from tests.fakes.stripe.concealment import conceal
from tests.fakes.stripe.expand import expand
from tests.fakes.stripe.keys import Rights, ids_in, masked
from tests.fakes.stripe.replays import Answer, Replays
from tests.fakes.stripe.spec import Operation, Spec
from tests.fakes.stripe.wire import Form, Json, StripeError
from tests.fakes.stripe.world import World

ROUTES: Routes = (
    account.ROUTES
    | catalogue.ROUTES
    | checkout.ROUTES
    | customers.ROUTES
    | destinations.ROUTES
    | discounts.ROUTES
    | events.ROUTES
    | invoices.ROUTES
    | meters.ROUTES
    | moneyback.ROUTES
    | payments.ROUTES
    | portal.ROUTES
    | portal_sessions.ROUTES
    | prices.ROUTES
    | schedules.ROUTES
    | subscriptions.ROUTES
)


@dataclass(slots=True)
class Seen:
    """One request as it came, and what became of it."""

    method: str
    path: str
    route: str
    form: Form
    key: str | None = None
    idempotency_key: str | None = None
    version: str | None = None
    status: int | None = None
    replayed: bool = False
    at: float = field(default_factory=time.monotonic)
    """When it came, in seconds of a clock that only runs."""

    def refuse(self, status: int) -> int:
        """Note that the request was turned away with that status."""
        self.status = status
        return status

    def as_json(self) -> Json:
        """For the control routes; the API key stays out."""
        names = ("method", "path", "route", "form", "idempotency_key", "version", "status", "replayed")
        return {name: getattr(self, name) for name in names}


@dataclass(slots=True)
class Api:
    """The whole API on one world; `rejections` and `mistakes` must stay empty in a good test."""

    world: World
    spec: Spec
    keys: set[str] | None = None
    rights: Rights = field(default_factory=Rights)
    log: list[Seen] = field(default_factory=list)
    rejections: list[str] = field(default_factory=list)
    mistakes: list[str] = field(default_factory=list)
    replays: Replays = field(default_factory=Replays)

    def count(self, route: str) -> int:
        """How many requests a route got, such as `POST /v1/customers`."""
        return Counter(seen.route for seen in self.log)[route]

    def busiest(self, method: str = "GET", seconds: float = 1.0) -> int:
        """The most requests of a method (as they came, refused or not) in any window of that length."""
        times = [seen.at for seen in self.log if seen.method == method]
        most, first = 0, 0
        for last, at in enumerate(times):
            while at - times[first] >= seconds:
                first += 1
            most = max(most, last - first + 1)
        return most

    def note(self, seen: Seen) -> Seen:
        """Write a request down under the name of its route."""
        found = self.spec.find(seen.method, seen.path)
        seen.route = found[0].route if found else f"{seen.method} {seen.path}"
        self.log.append(seen)
        return seen

    def serve(self, seen: Seen) -> Answer:
        """Answer a request; every complaint about its shape is kept in `rejections`."""
        try:
            self._authenticate(seen)
            operation, call = self._read(seen)
            answer = self._once(seen, operation, call)
        except StripeError as error:
            answer = Answer(error.status, error.body())
        seen.status, seen.replayed = answer.status, answer.replayed
        return answer

    def _authenticate(self, seen: Seen) -> None:
        found = self.spec.find(seen.method, seen.path)
        if not seen.key or (self.keys is not None and seen.key not in self.keys):
            raise StripeError(f"Invalid API Key provided: {masked(seen.key or '')}", status=401)
        ids = ids_in(found[1] if found else {}, seen.form)
        self.rights.check(self.world, seen.key, seen.route, ids)

    def _read(self, seen: Seen) -> tuple[Operation, Call]:
        try:
            operation, path = self._recognise(seen)
            if seen.method == "POST" and seen.idempotency_key is None:
                self.rejections.append(f"{seen.route}: no Idempotency-Key")
            call = Call(operation.fit(seen.form), path)
            _refuse_what_is_not_built(operation.route, call)
        except StripeError as error:
            self.rejections.append(f"{seen.route}: {error.message}")
            raise
        return operation, call

    def _recognise(self, seen: Seen) -> tuple[Operation, dict[str, str]]:
        found = self.spec.find(seen.method, seen.path)
        if found is None:
            raise StripeError(f"Unrecognized request URL ({seen.method}: {seen.path}).", status=404)
        return found

    def _once(self, seen: Seen, operation: Operation, call: Call) -> Answer:
        key, now = seen.idempotency_key, self.world.now()
        if seen.method != "POST" or key is None:
            return self._perform(seen, operation, call)
        fingerprint = json.dumps([seen.path, call.params], sort_keys=True)
        kept = self.replays.find(key, fingerprint, now)
        if kept is not None:
            return kept
        answer = self._perform(seen, operation, call)
        if answer.status == 200 or not seen.path.startswith("/v2/"):
            self.replays.keep(key, fingerprint, answer, now)
        return answer

    def _perform(self, seen: Seen, operation: Operation, call: Call) -> Answer:
        self.world.cause = {"id": "req_fake", "idempotency_key": seen.idempotency_key}
        try:
            made = ROUTES[operation.route].serve(self.world, call)
            wanted = call.params.get("expand", [])
            body = conceal(expand(self.world, made, wanted), wanted)
        except StripeError as error:
            return Answer(error.status, error.body())
        finally:
            self.world.cause = {"id": None, "idempotency_key": None}
        problems = list(self.spec.shapes.problems(operation.answer, body))
        self.mistakes.extend(f"{operation.route}: {problem}" for problem in problems)
        return Answer(500, {"error": {"message": str(problems)}}) if problems else Answer(200, body)


def _refuse_what_is_not_built(route: str, call: Call) -> None:
    if route not in ROUTES:
        raise StripeError(f"The fake does not have {route}", status=501)
    unknown = call.params.keys() - ROUTES[route].honours - {"expand"}
    if unknown:
        raise StripeError(f"The fake does not honour {sorted(unknown)} of {route}", status=501)
