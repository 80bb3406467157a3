"""Who brings the daily report: the mail, and the chat platforms for their channels."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC
from email.message import EmailMessage
from email.utils import format_datetime

from bot.daily.letter import letter
from bot.daily.sheet import sheet
from bot.daily.text import message, text
from engine.alerts import Herald
from engine.briefs import MAIL
from engine.channels import Channel
from engine.charts import Days
from engine.daily import Daily
from engine.domain import Platform
from engine.errors import UnreachableError
from engine.settings import MailSettings


class MailCourier:
    """Brings it by mail, as HTML and text, under one Message-ID for a day."""

    def __init__(self, mail: MailSettings | None, link: str) -> None:
        self.mail = mail
        self.link = link

    def destinations(self) -> Sequence[str]:
        return (MAIL,) if self.mail else ()

    async def carry(self, daily: Daily, destination: str, *, again: bool) -> str:  # noqa: ARG002 - its id shows it once
        from bot.mail import Mailbox  # noqa: PLC0415 - the SDK is for those who use it

        if self.mail is None:
            raise UnreachableError("there is no mail server any more")
        return await Mailbox(self.mail).send(written(daily, self.mail, self.link))


class ChannelCourier:
    """Brings it to the channels of the platforms that this process is on."""

    def __init__(self, heralds: Mapping[Platform, Herald], channels: Sequence[Channel], link: str) -> None:
        self._heralds = heralds
        self.channels = tuple(channels)
        self.link = link

    def destinations(self) -> Sequence[str]:
        return [str(each) for each in self.channels if each.platform in self._heralds]

    async def carry(self, daily: Daily, destination: str, *, again: bool) -> str:
        channel = Channel.parse(destination)
        words = message(sheet(daily, self.link))
        since = Days(daily.day, daily.day).until if again else None
        key = f"daily:{daily.day}:{destination}"
        await self._heralds[channel.platform].publish(channel, key, words, since)
        return ""


def written(daily: Daily, mail: MailSettings, link: str) -> EmailMessage:
    """The report as a message: text, and HTML beside it for programs that show it."""
    found = sheet(daily, link)
    made = EmailMessage()
    made["Subject"] = f"{found.mark.partition(':')[0] + ': ' if found.mark else ''}{subject(daily)}"
    made["From"] = mail.sender
    made["To"] = ", ".join(mail.receivers)
    made["Date"] = format_datetime(daily.overview.now.astimezone(UTC))
    made["Message-ID"] = message_id(daily, mail)
    made["Auto-Submitted"] = "auto-generated"
    made.set_content(text(found))
    made.add_alternative(letter(found), subtype="html")
    return made


def subject(daily: Daily) -> str:
    """The day with its two figures."""
    found = sheet(daily, "")
    mrr, _, _, margin = found.tiles
    return f"{found.title}: MRR {mrr.value}, margin {margin.value}"


def message_id(daily: Daily, mail: MailSettings) -> str:
    """The same for a day and its receivers, so that a message that came twice is known for one."""
    to = hashlib.sha256(",".join(sorted(mail.receivers)).encode()).hexdigest()[:16]
    return f"<daily.{daily.day}.{daily.overview.mode}.{to}@{mail.sender.rpartition('@')[2]}>"
