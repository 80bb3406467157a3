"""Disputes and refunds: reading what they mean now, and giving a payment back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import stripe

from billing.client import StripeCaller
from billing.monthly import MICROS_A_CENT
from billing.pages import every
from billing.remedies import AlreadyDoneError
from billing.snapshots import Fields, at, name_of, plain
from engine.domain import Micros
from engine.errors import GoneError
from engine.facts import CustomerId, Dispute, DisputeStage, Mode, MoneyBack, Refund

DISPUTES, CHARGES, REFUNDS = ("du_", "dp_"), ("ch_", "py_"), ("re_", "pyr_")
STAGES = {"won": DisputeStage.WON, "lost": DisputeStage.LOST, "prevented": DisputeStage.INQUIRY}


def stage_of(status: str) -> DisputeStage:
    """What a dispute's status means; a word that we do not know counts as open."""
    if status.startswith("warning_"):
        return DisputeStage.INQUIRY
    return STAGES.get(status, DisputeStage.OPEN)


class MoneyBackDesk:
    """Looks into disputes, charges and refunds, which do not name the customer they concern."""

    def __init__(self, caller: StripeCaller, mode: Mode) -> None:
        self._caller = caller
        self._api = caller.sdk.v1
        self._mode = mode

    async def look_into(self, subject: str) -> MoneyBack | None:
        """What a dispute, charge or refund means now; None if it is about nobody, or only a warning."""
        try:
            if subject.startswith(DISPUTES):
                return await self._dispute(await self._retrieved(self._api.disputes, subject))
            if subject.startswith(CHARGES):
                return await self._refund(subject)
            if subject.startswith(REFUNDS):
                refund = await self._retrieved(self._api.refunds, subject)
                charge = name_of(refund.get("charge"))
                return await self._refund(charge) if charge else None
        except GoneError:
            return None
        return None

    async def since(self, moment: datetime) -> AsyncIterator[MoneyBack]:
        """Every dispute and refund made from then on; a charge with several refunds once."""
        seen: set[str] = set()
        async for dispute in every(self._caller, self._listing(self._api.disputes, moment)):
            found = await self._dispute(dispute)
            if found is not None:
                yield found
        async for refund in every(self._caller, self._listing(self._api.refunds, moment)):
            charge = name_of(refund.get("charge"))
            if charge is not None and charge not in seen:
                seen.add(charge)
                given = await self._refund(charge)
                if given is not None:
                    yield given

    async def give_back(self, subscription: str, key: str) -> None:
        """Refund what the newest invoice of a subscription was paid with, if it was; once."""
        invoice = await self._newest_paid(subscription)
        paid = await self._payment_of(invoice) if invoice else None
        if paid is None:
            return
        what: Any = {name: paid[name] for name in ("payment_intent", "charge") if paid.get(name)}
        options: stripe.RequestOptions = {"idempotency_key": f"{key}-refund"}
        try:
            await self._caller.call(lambda: self._api.refunds.create_async(what, options))
        except AlreadyDoneError:
            return

    async def _dispute(self, fields: Fields) -> Dispute | None:
        charge = name_of(fields["charge"]) or ""
        customer = name_of((await self._retrieved(self._api.charges, charge)).get("customer"))
        if customer is None:
            return None
        return Dispute(
            id=fields["id"],
            mode=self._mode,
            customer=CustomerId(customer),
            charge=charge,
            stage=stage_of(fields["status"]),
            amount=Micros(fields["amount"] * MICROS_A_CENT),
            created_at=at(fields["created"]),
        )

    async def _refund(self, charge: str) -> Refund | None:
        """All that was given back of a charge; nothing, if its refunds failed."""
        fields = await self._retrieved(self._api.charges, charge)
        customer = name_of(fields.get("customer"))
        if customer is None:
            return None
        intent = name_of(fields.get("payment_intent"))
        params: stripe.params.RefundListParams = {"charge": charge, "limit": 1}
        newest = await self._caller.call(lambda: self._api.refunds.list_async(params))
        return Refund(
            charge=charge,
            mode=self._mode,
            customer=CustomerId(customer),
            invoice=await self._invoice_of(intent) if intent else None,
            amount=Micros(fields["amount_refunded"] * MICROS_A_CENT),
            full=bool(fields["refunded"]),
            at=at(newest.data[0].created if newest.data else fields["created"]),
        )

    async def _invoice_of(self, intent: str) -> str | None:
        """A charge has not named its invoice since 2025-03-31.basil; the payment of the invoice does."""
        params: stripe.params.InvoicePaymentListParams = {
            "payment": {"type": "payment_intent", "payment_intent": intent},
            "limit": 1,
        }
        listed = await self._caller.call(lambda: self._api.invoice_payments.list_async(params))
        return name_of(plain(listed.data[0])["invoice"]) if listed.data else None

    async def _newest_paid(self, subscription: str) -> str | None:
        """The newest invoice, if it is paid: earlier ones paid for time that was used."""
        params: stripe.params.InvoiceListParams = {"subscription": subscription, "limit": 1}
        listed = await self._caller.call(lambda: self._api.invoices.list_async(params))
        newest = listed.data[0] if listed.data else None
        return newest.id if newest and newest.status == "paid" and newest.amount_paid > 0 else None

    async def _payment_of(self, invoice: str) -> Fields | None:
        params: stripe.params.InvoicePaymentListParams = {"invoice": invoice, "status": "paid", "limit": 1}
        listed = await self._caller.call(lambda: self._api.invoice_payments.list_async(params))
        payment: Fields | None = plain(listed.data[0])["payment"] if listed.data else None
        return payment

    async def _retrieved(self, service: Any, wanted: str) -> Fields:  # noqa: ANN401 - any service of the SDK
        return plain(await self._caller.call(lambda: service.retrieve_async(wanted)))

    def _listing(self, service: Any, moment: datetime) -> Any:  # noqa: ANN401 - as above
        created = {"gte": int(moment.timestamp())}
        return lambda where: service.list_async({"created": created, **where})
