"""What the operator has to be told: each thing once, in words without anybody's content."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from engine.channels import Channel
from engine.domain import Person
from engine.facts import Mode


class AlertKind(StrEnum):
    """What may need the operator, or is worth knowing."""

    PAYMENT = "payment"
    """Somebody began to pay, pays more, or pays again."""
    PAYMENT_FAILED = "payment_failed"
    CANCEL_SCHEDULED = "cancel_scheduled"
    SUBSCRIPTION_ENDED = "subscription_ended"
    REFUNDED = "refunded"
    DISPUTE_OPENED = "dispute_opened"
    DISPUTE_CLOSED = "dispute_closed"
    BLOCKED_PAYS = "blocked_pays"
    """Somebody who is blocked pays for what they cannot use."""
    CEILING_NEAR = "ceiling_near"
    """80 % of a ceiling of the house is spent."""
    CEILING_REACHED = "ceiling_reached"
    MEMBER_NEAR = "member_near"
    """The same of what one member, or a team together, may cost in a month."""
    MEMBER_REACHED = "member_reached"
    VENDOR_DOWN = "vendor_down"
    VENDOR_BACK = "vendor_back"
    VENDOR_FLAPPING = "vendor_flapping"
    """It goes down again and again; the next word comes when it is steady."""
    VENDOR_BROKEN = "vendor_broken"
    """A vendor refuses our key, a model's id, or what we send: only the operator can mend it."""
    NEEDS_OPERATOR = "needs_operator"
    """Something else stops members, and only the operator can mend it: a key or a price of Stripe's."""
    BACKLOG = "backlog"
    """Customers wait too long to be read from Stripe."""
    BACKLOG_OVER = "backlog_over"
    SYNC_FAILING = "sync_failing"
    """One of them cannot be read for long."""
    EVENTS_MISSED = "events_missed"
    """Stripe had events that no webhook brought."""
    DRIFT = "drift"
    """Our facts differed from Stripe's."""
    DEAD_LETTER = "dead_letter"
    """Something was given up."""
    SIGNATURES = "signatures"
    """Many webhooks without a good signature."""
    CONFIG_REFUSED = "config_refused"
    CHANNEL_LOST = "channel_lost"
    """A channel cannot be written to."""
    REPORT_FAILING = "report_failing"
    """The daily report cannot be sent."""


NEWS = frozenset(
    {
        AlertKind.PAYMENT,
        AlertKind.PAYMENT_FAILED,
        AlertKind.CANCEL_SCHEDULED,
        AlertKind.SUBSCRIPTION_ENDED,
        AlertKind.REFUNDED,
        AlertKind.MEMBER_NEAR,
        AlertKind.MEMBER_REACHED,
    }
)
"""Good to know, and nothing to be done: told in channels, to nobody by direct message."""
DASHBOARD = "/admin"
"""Where an alert leads that has no address of its own: to the page of its kind, on our own server."""
PAGES: Mapping[AlertKind, str] = {
    **dict.fromkeys(
        (
            *NEWS,
            AlertKind.DISPUTE_OPENED,
            AlertKind.DISPUTE_CLOSED,
            AlertKind.BLOCKED_PAYS,
            AlertKind.CEILING_NEAR,
            AlertKind.CEILING_REACHED,
        ),
        f"{DASHBOARD}/money",
    ),
    **dict.fromkeys(
        (
            AlertKind.VENDOR_DOWN,
            AlertKind.VENDOR_BACK,
            AlertKind.VENDOR_FLAPPING,
            AlertKind.VENDOR_BROKEN,
        ),
        f"{DASHBOARD}/models",
    ),
    **dict.fromkeys(
        (AlertKind.BACKLOG, AlertKind.BACKLOG_OVER, AlertKind.SYNC_FAILING, AlertKind.DEAD_LETTER),
        f"{DASHBOARD}/backlog",
    ),
    **dict.fromkeys(
        (AlertKind.EVENTS_MISSED, AlertKind.DRIFT, AlertKind.SIGNATURES), f"{DASHBOARD}/webhooks"
    ),
}
"""That page; the first one for all other kinds."""


@dataclass(frozen=True, slots=True)
class Alert:
    """`key` is unique, so that a thing is told once; `subject` is what it is about (a ceiling, a model)."""

    key: str
    kind: AlertKind
    subject: str
    at: datetime
    detail: str = ""
    """More for whoever mends it; never what a member wrote, nor a key."""
    link: str = DASHBOARD
    """Where to look: a whole address, or one of ours that begins with a slash."""


@dataclass(frozen=True, slots=True)
class Bulletin:
    """Alerts that somebody is told in one message, oldest first; `id` names that message for ever.

    A second try tells the same alerts, so that a message which got through is known by its id.
    """

    id: str
    to: Person | Channel
    alerts: tuple[Alert, ...]
    attempts: int = 0
    locale: str | None = None

    @property
    def since(self) -> datetime:
        """A moment before which it was not sent."""
        return min(alert.at for alert in self.alerts)


@dataclass(frozen=True, slots=True)
class Digest:
    """What a bulletin says: some alerts in full, and how many more there are of each kind."""

    full: tuple[Alert, ...]
    more: tuple[tuple[AlertKind, int], ...]


def digest(alerts: Sequence[Alert], most: int) -> Digest:
    """At most `most` in full: the first ones of each kind, so that none hides behind a flood of another."""
    kinds = Counter(alert.kind for alert in alerts)
    each = len(alerts) if len(alerts) <= most else max(1, most // len(kinds))
    full: list[Alert] = []
    shown: Counter[AlertKind] = Counter()
    for alert in alerts:
        if shown[alert.kind] < each and len(full) < most:
            full.append(alert)
            shown[alert.kind] += 1
    return Digest(tuple(full), tuple((kind, n) for kind in kinds if (n := kinds[kind] - shown[kind])))


def receivers(
    alert: Alert, people: Sequence[Person], channels: Sequence[Channel]
) -> tuple[Person | Channel, ...]:
    """Who is told: news go to channels alone, that one of these is lost to people alone, the rest to all."""
    told_people = () if alert.kind in NEWS else people
    told_channels = () if alert.kind is AlertKind.CHANNEL_LOST else channels
    return (*told_people, *told_channels)


class Herald(Protocol):
    """Tells operators things unasked, on one platform."""

    async def tell(self, bulletin: Bulletin, *, again: bool) -> None:
        """Show a bulletin privately to its person, or in its channel.

        `again` and errors as for `engine.ports.Messenger`; UnreachableError too for a channel that is not, or
        not for us.
        """
        ...

    async def publish(self, channel: Channel, key: str, text: str, tried_since: datetime | None) -> None:
        """Show a text in Markdown in a channel; its first line tells it from all others.

        `tried_since`: an earlier try may have got through since then. Errors as for `tell`.
        """
        ...


class AlertsTx(Protocol):
    """Alerts owed to the operator: owed once, claimed under a lease, told or dropped."""

    def raise_alert(self, alert: Alert) -> bool:
        """Owe it; False if one with that key was raised before."""
        ...

    def address_alerts(
        self, people: Sequence[Person], channels: Sequence[Channel], now: datetime, limit: int
    ) -> Sequence[Alert]:
        """Take alerts that nobody took before, oldest first; from now on each is owed to its `receivers`."""
        ...

    def claim_bulletin(
        self,
        now: datetime,
        lease_until: datetime,
        to: Sequence[Person | Channel],
        flood: int,
        lately: datetime,
    ) -> Bulletin | None:
        """Take what is due for one of these; nobody else is told what was owed to them.

        One whose lease ran out is taken again as it was, before a new one is put together; `attempts` counts
        earlier claims. Whoever was told `flood` alerts since `lately` is told no more for now.
        """
        ...

    def bulletin_told(self, bulletin: str, now: datetime) -> None:
        """It was shown."""
        ...

    def bulletin_later(self, bulletin: str, due: datetime) -> None:
        """Try again then."""
        ...

    def drop_bulletin(self, bulletin: str) -> None:
        """It cannot be told."""
        ...

    def backlog(self, mode: Mode, now: datetime) -> tuple[int, datetime | None]:
        """How many customers of a mode are due to be read, and since when the oldest is."""
        ...

    def open_alerts(self, since: datetime) -> Sequence[tuple[AlertKind, int]]:
        """How many of each kind were raised since then."""
        ...

    def forget_alerts(self, stale: datetime, old: datetime) -> None:
        """Tell nobody what was raised before `stale`; know no more of what was raised before `old`."""
        ...
