"""Puts the API on HTTP, and lays the faults on it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from email.utils import formatdate
from urllib.parse import parse_qsl

from aiohttp import web

from tests.fakes.stripe.api import Api, Seen
from tests.fakes.stripe.faults import Fault, FaultKind, Faults
from tests.fakes.stripe.replays import Answer
from tests.fakes.stripe.wire import Form, StripeError, decode_form, form_of_json


@dataclass(slots=True)
class ApiServer:
    """The handler of everything under /v1 and /v2."""

    api: Api
    faults: Faults
    _in_flight: set[str] = field(default_factory=set)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Serve a request, unless a fault says otherwise."""
        seen = self.api.note(await _read(request))
        key = seen.idempotency_key or ""
        if key in self._in_flight:
            return self._respond(seen, Answer(seen.refuse(409), Fault(FaultKind.STATUS, status=409).body()))
        fault = self.faults.take(seen.route)
        if fault is None:
            return self._respond(seen, self.api.serve(seen))
        self._in_flight |= {key} - {""}
        try:
            await fault.wait()
        finally:
            self._in_flight.discard(key)
        return await self._spoil(request, seen, fault)

    async def _spoil(self, request: web.Request, seen: Seen, fault: Fault) -> web.StreamResponse:
        if fault.kind is FaultKind.STATUS:
            return self._respond(seen, Answer(seen.refuse(fault.status), fault.body()))
        if fault.kind is FaultKind.HANG_UP:
            return _hang_up(request)
        answer = self.api.serve(seen)
        if fault.kind is FaultKind.LOSE:
            return _hang_up(request)
        if fault.kind is FaultKind.CUT:
            return await _cut(request, answer)
        return self._respond(seen, answer)

    def _respond(self, seen: Seen, answer: Answer) -> web.Response:
        """The answer with Stripe's headers; `Date` is the time on the fake's clock."""
        headers = {
            "Date": formatdate(self.api.world.now(), usegmt=True),
            "Request-Id": "req_fake",
            "Stripe-Version": seen.version or "",
        }
        if seen.idempotency_key:
            headers["Idempotency-Key"] = seen.idempotency_key
        if answer.replayed:
            headers["Idempotent-Replayed"] = "true"
        return web.json_response(answer.body, status=answer.status, headers=headers)


async def _read(request: web.Request) -> Seen:
    body = (await request.read()).decode()
    form = _decode(parse_qsl(request.query_string, keep_blank_values=True))
    headers = request.headers
    scheme, _, key = headers.get("Authorization", "").partition(" ")
    return Seen(
        request.method,
        request.path,
        route="",
        form=form | _decode_body(request, body),
        key=key if scheme == "Bearer" else None,
        idempotency_key=headers.get("Idempotency-Key"),
        version=headers.get("Stripe-Version"),
    )


def _decode_body(request: web.Request, body: str) -> Form:
    """Forms under /v1, JSON objects under /v2; what is neither names itself as an unknown parameter."""
    if not request.path.startswith("/v2/") or not body:
        return _decode(parse_qsl(body, keep_blank_values=True))
    try:
        form = form_of_json(json.loads(body))
    except ValueError:
        return {"The body is no JSON": ""}
    return form if isinstance(form, dict) else {"The body is no JSON object": ""}


def _decode(pairs: list[tuple[str, str]]) -> Form:
    try:
        return decode_form(pairs)
    except StripeError as error:
        return {error.message: ""}


def _hang_up(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def _cut(request: web.Request, answer: Answer) -> web.StreamResponse:
    body = json.dumps(answer.body).encode()
    response = web.StreamResponse(status=answer.status, headers={"Content-Type": "application/json"})
    response.content_length = len(body)
    await response.prepare(request)
    await response.write(body[: len(body) // 2])
    if request.transport is not None:
        request.transport.close()
    return response
