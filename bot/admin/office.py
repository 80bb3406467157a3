"""Everything that operators have and do, put together; the console and `/admin` share it."""

from __future__ import annotations

from dataclasses import dataclass, field

from bot.admin.announcing import announcing_orders, announcing_presses
from bot.admin.asking import asking
from bot.admin.desk import Operators
from bot.admin.entering import entering
from bot.admin.finding import finding
from bot.admin.giving import giving
from bot.admin.halting import stopping
from bot.admin.retrying import retrying, retrying_presses
from bot.affairs import Affairs
from bot.daily.couriers import ChannelCourier, MailCourier
from bot.front import Front
from engine.alarms import Alarms, Audience
from engine.announcing import Announcing
from engine.briefs import MAIL
from engine.daily import DailyReports
from engine.deliveries import Deliveries
from engine.emptying import Emptying
from engine.entry import Entrance
from engine.facts import Mode
from engine.finding import Finding
from engine.halting import Halting
from engine.jobs import Queue
from engine.panels import Panels
from engine.ports import Clock, Store
from engine.reports import Reports
from engine.settings import Settings
from engine.steering import Steering
from engine.watch import Knocks, Watch


@dataclass(frozen=True, slots=True)
class Office:
    """What operators work with, and the work that falls due for them.

    `queues`, `rounds` and `everywhere` are as those of `engine.jobs.Jobs`.
    """

    reports: Reports
    panels: Panels
    deliveries: Deliveries
    steering: Steering
    alarms: Alarms
    entrance: Entrance
    operators: Operators
    halting: Halting
    finding: Finding
    watch: Watch
    knocks: Knocks
    affairs: Affairs
    announcing: Announcing
    daily: DailyReports
    emptying: Emptying
    queues: list[Queue] = field(default_factory=list)
    rounds: list[Queue] = field(default_factory=list)
    everywhere: list[Queue] = field(default_factory=list)

    def refit(self, settings: Settings) -> None:
        """Go by other settings, as far as these may change while it serves."""
        self.operators.people = self.entrance.people = settings.admins
        self.alarms.audience = audience_of(settings)
        self.watch.patience = settings.alerts.backlog
        self.announcing.keep_pace(settings.announcement_pace)
        self.emptying.retention = settings.retention
        instruct(self.daily, settings, self.alarms)


def open_office(settings: Settings, store: Store, clock: Clock, front: Front, mode: Mode) -> Office:
    """Put it together, and let the front take the orders of the people of ADMIN_IDS."""
    wares, markup = front.members.wares, settings.billing.metered_markup
    reports, panels = Reports(store, clock, wares, mode, markup), Panels(store, clock, wares, mode, markup)
    steering = Steering(store, clock, front.members, reports)
    entrance = Entrance(store, clock, settings.admins, settings.server.app_url)
    halting = Halting(store, clock, front.members.wares, mode)
    orders = {**asking(steering), **entering(entrance), **stopping(halting, clock), **giving(front.affairs)}
    announcing = Announcing(store, clock, front.members.wares, mode, settings.announcement_pace)
    found = Finding(store, clock, front.members)
    orders |= announcing_orders(announcing) | finding(found) | retrying(steering, mode)
    alarms = Alarms(store, clock, audience_of(settings))
    presses = announcing_presses(announcing) | retrying_presses(steering, mode)
    operators = front.operators = Operators(settings.admins, orders, alarms.needed, presses)
    watch = Watch(store, clock, mode, settings.alerts.backlog)
    knocks, deliveries = Knocks(store, clock), Deliveries(store, clock, mode)
    office = Office(
        reports,
        panels,
        deliveries,
        steering,
        alarms,
        entrance,
        operators,
        halting,
        found,
        watch,
        knocks,
        front.affairs,
        announcing,
        DailyReports(store, clock, panels, settings.report),
        Emptying(store, clock, settings.retention),
    )
    instruct(office.daily, settings, alarms)
    office.queues.extend((alarms.address, announcing.gather))
    office.rounds.extend((alarms.sweep, watch.look, watch.calm, entrance.sweep, announcing.sweep))
    office.rounds.extend((office.daily.owe, front.members.erasing.sweep, office.emptying.work))
    office.everywhere.extend((alarms.work, announcing.work, deliveries.work, office.daily.work))
    return office


def audience_of(settings: Settings) -> Audience:
    """Who is told what needs the operator; the dashboard opens for somebody of ADMIN_IDS alone."""
    site = settings.server.app_url if settings.admins else ""
    return Audience(settings.admins, settings.alerts.channels, settings.alerts.language, site)


def instruct(daily: DailyReports, settings: Settings, alarms: Alarms) -> None:
    """Let the daily report come when and where the settings say."""
    site, channels = settings.server.app_url if settings.admins else "", settings.report.channels
    link = f"{site}/admin" if site else ""
    daily.reporting = settings.report
    daily.couriers = [MailCourier(settings.mail, link), ChannelCourier(alarms.heralds, channels, link)]
    daily.destinations = (*([MAIL] if settings.mail else []), *map(str, channels))
