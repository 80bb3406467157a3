"""Everything at /admin."""

from __future__ import annotations

from aiohttp import web

from webhooks.admin import backlog
from webhooks.admin.audit_log import AuditLog
from webhooks.admin.backlog import Backlog
from webhooks.admin.door import Door
from webhooks.admin.drafting import Drafting
from webhooks.admin.entering import Entering
from webhooks.admin.hooks import Webhooks
from webhooks.admin.leaves import Leaf, Spans
from webhooks.admin.limits import Limits
from webhooks.admin.members import Members
from webhooks.admin.models import Models
from webhooks.admin.money import Money
from webhooks.admin.overview import Front
from webhooks.admin.pages import Pages
from webhooks.site import Admin, Site


def routes(site: Site, door: Door) -> list[web.RouteDef]:
    """The way in, and the pages behind it."""
    entering = Entering(door).routes()
    if site.admin is None:
        return entering
    waiting, drafting = Backlog(site.admin), Drafting(site.admin)

    async def badges() -> dict[str, int]:
        return {backlog.SLUG: await waiting.badges()}

    found = leaves(site.admin, waiting, drafting)
    pages = Pages(door, site.admin.clock, site.admin.mode, found, badges, backlog.told)
    return [
        *entering,
        web.post(backlog.RETRY, door.write(waiting.retry)),
        web.post(backlog.RETRY_ALL, door.write(waiting.retry_all)),
        drafting.route(door, pages),
        *pages.routes(),
    ]


def leaves(admin: Admin, waiting: Backlog, drafting: Drafting) -> list[Leaf]:
    """The pages in the order of the navigation."""
    panels, none, months = admin.panels, Spans.NONE, Spans.MONTHS
    log = AuditLog(admin.store)
    return [
        Leaf("", "Overview", "How the bot does, today and lately.", Front(panels).build),
        Leaf("money", "Money", "What comes in, what it costs, and what is left.", Money(panels).build),
        Leaf("members", "Members", "Who brings in what, and who costs what.", Members(panels).build, months),
        Leaf("models", "Models", "What answers cost, and how vendors do.", Models(panels).build),
        Leaf(
            "webhooks",
            "Webhooks",
            "Whether Stripe's events arrive and are dealt with.",
            Webhooks(panels).build,
        ),
        Leaf("limits", "Limits", "Where members are stopped, and how often.", Limits(panels).build),
        drafting.leaf,
        Leaf(backlog.SLUG, "Backlog", "What waits, and what was given up.", waiting.build, none),
        Leaf("audit", "Audit log", "Who did what, when, from where and to whom.", log.build, none),
    ]
