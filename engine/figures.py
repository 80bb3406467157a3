"""The words of the operator's figures: what moved the revenue, and how far members came."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from fractions import Fraction

from engine.domain import AccountId, TierName
from engine.facts import Mode


class MovementKind(StrEnum):
    """Why monthly recurring revenue changed."""

    NEW = "new"
    EXPANSION = "expansion"
    CONTRACTION = "contraction"
    CHURN = "churn"
    REACTIVATION = "reactivation"


@dataclass(frozen=True, slots=True)
class Movement:
    """One change of an account's MRR in micro-dollars a month; numbered within account and mode.

    `after` is what the account brings in from then on, so that all movements sum to the MRR.
    """

    number: int
    account: AccountId
    mode: Mode
    kind: MovementKind
    delta: Fraction
    after: Fraction
    tier: TierName
    """After the change; before it, for churn."""
    currency: str
    voluntary: bool
    """Churn by choice; False when payments failed or were disputed."""
    at: datetime


class FunnelStep(StrEnum):
    """How far an account came, each step once."""

    LIMIT_HIT = "limit_hit"
    PAYWALL_SHOWN = "paywall_shown"
    CHECKOUT_OPENED = "checkout_opened"
    CHECKOUT_COMPLETED = "checkout_completed"
    ACTIVATED = "activated"
    RENEWED = "renewed"


STEPS: Mapping[FunnelStep, str] = {
    FunnelStep.LIMIT_HIT: "hit a limit",
    FunnelStep.PAYWALL_SHOWN: "saw the prices",
    FunnelStep.CHECKOUT_OPENED: "opened checkout",
    FunnelStep.CHECKOUT_COMPLETED: "completed it",
    FunnelStep.ACTIVATED: "got a paid tier",
    FunnelStep.RENEWED: "renewed",
}
"""What operators are told of each: that an account did this."""


@dataclass(frozen=True, slots=True)
class Reached:
    """The first time that an account came to a step."""

    account: AccountId
    mode: Mode
    step: FunnelStep
    at: datetime
