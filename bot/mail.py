"""Sends mail over SMTP, encrypted wherever a password is sent."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from email.message import EmailMessage
from socket import gaierror

from aiosmtplib import (
    SMTP,
    SMTPAuthenticationError,
    SMTPException,
    SMTPNotSupported,
    SMTPRecipientsRefused,
    SMTPResponse,
    SMTPResponseException,
    SMTPServerDisconnected,
)

from engine.errors import GiveUpError, OutsideError, TellOperatorError, TryAgainError
from engine.settings import LOOPBACK, MailSettings

TIMEOUT = 30.0
"""Seconds for each step of the conversation."""
PERMANENT = 500
STARTTLS = "STARTTLS"
"""In the words of a failure without a type of its own."""
AUTH_AWAY = 454
"""The one answer to a login that may be another one later (RFC 4954)."""
ERRNO = re.compile(r"\[Errno -?\d+\] ?")
ADDRESS = re.compile(r"<?[^\s<>\"',;:]+@[^\s<>\"',;:]+>?")


class Mailbox:
    """The mail server of the settings."""

    def __init__(self, settings: MailSettings, trust: ssl.SSLContext | None = None) -> None:
        """`trust` are other certificates than those that the machine trusts."""
        self.settings = settings
        self._trust = trust

    async def send(self, message: EmailMessage) -> str:
        """Send a message to all receivers; which were refused while others were not, in words without them.

        TryAgainError: the server is away, or wants it later. TellOperatorError: it refuses us, or all.
        """
        try:
            async with self._line() as line:
                refused, _ = await line.send_message(
                    message, sender=self.settings.sender, recipients=list(self.settings.receivers)
                )
        except (SMTPException, OSError, ValueError) as error:
            raise remedy(error, self.settings) from error
        return refusals(self.settings.receivers, refused)

    async def look(self) -> None:
        """Connect, greet and log in, and send nothing; errors as for `send`."""
        try:
            async with self._line() as line:
                await line.noop()
        except (SMTPException, OSError, ValueError) as error:
            raise remedy(error, self.settings) from error

    @asynccontextmanager
    async def _line(self) -> AsyncIterator[SMTP]:
        """A conversation; STARTTLS may be missing only where nothing is secret, or nobody can listen.

        Whoever is cancelled hangs up: the server that they no longer wait for would not answer a farewell.
        """
        given = self.settings
        open_ = given.username is None or given.host in LOOPBACK
        line = SMTP(
            hostname=given.host,
            port=given.port,
            use_tls=given.tls,
            start_tls=False if given.tls else None if open_ else True,
            username=given.username,
            password=given.password.get_secret_value() if given.password else None,
            tls_context=self._trust,
            timeout=TIMEOUT,
        )
        async with line:
            try:
                yield line
            except asyncio.CancelledError:
                line.close()
                raise


def refusals(receivers: Sequence[str], refused: Mapping[str, SMTPResponse]) -> str:
    """Who was refused, by their places in MAIL_TO, and why; nothing if nobody was."""
    return "; ".join(
        f"receiver {place} of {len(receivers)} is refused: {said.code} {bare(said.message)}"
        for place, each in enumerate(receivers, 1)
        if (said := refused.get(each))
    )


def bare(words: object) -> str:
    """A server's words without addresses: they are told in channels."""
    return ADDRESS.sub("(an address)", str(words))


def remedy(error: Exception, given: MailSettings) -> OutsideError:
    """What a failure means; one that is none of the server's answers is about the line to it."""
    match error:
        case SMTPRecipientsRefused():
            codes = [each.code for each in error.recipients]
            words = f"the mail server refuses all receivers: {bare(error.recipients[0].message)}"
            return refusal(min(codes), words)
        case SMTPAuthenticationError():
            words = f"the mail server refuses the login: {error.code} {bare(error.message)}"
            return TryAgainError(words) if error.code == AUTH_AWAY else TellOperatorError(words)
        case SMTPResponseException():
            return refusal(error.code, f"the mail server says: {error.code} {bare(error.message)}")
    return broken(error, given)


def broken(error: Exception, given: MailSettings) -> OutsideError:
    """What is wrong with the line, or with the message."""
    cause = error.__cause__ if isinstance(error.__cause__, ssl.SSLError) else error
    match cause:
        case ssl.SSLCertVerificationError():
            return TellOperatorError(f"the mail server's certificate is not trusted: {cause.verify_message}")
        case SMTPNotSupported() | ssl.SSLError():
            return TellOperatorError(f"the mail server cannot be spoken to safely: {bare(cause)}")
        case ValueError():
            return GiveUpError(f"the message cannot be sent: {bare(cause)}")
        case SMTPException() if STARTTLS in str(cause):
            return TellOperatorError(f"the mail server offers no STARTTLS: {bare(cause)}")
    return TryAgainError(f"the mail server cannot be reached: {away(error, given)}")


def away(error: Exception, given: MailSettings) -> str:
    """Who does not answer, and what that may be, without numbers of errors."""
    where = f"{given.host}:{given.port}"
    match error.__cause__ or error:
        case gaierror():
            return f"no server has the name {given.host}; it is mistyped in SMTP_URL, or DNS is away"
        case ConnectionRefusedError():
            return f"{where} refuses the connection; it does not run, or host or port in SMTP_URL are others"
        case TimeoutError():
            return f"{where} does not answer in time; a firewall is between, or SMTP_URL has another port"
        case SMTPServerDisconnected():
            return f"{where} hangs up; smtps:// and the port in SMTP_URL may not go together"
    return f"{where} takes no connection ({ERRNO.sub('', bare(error))}); look at host and port in SMTP_URL"


def refusal(code: int, words: str) -> OutsideError:
    """An answer that says no, for now or for good."""
    return TellOperatorError(words) if code >= PERMANENT else TryAgainError(words)


async def check_mail(settings: MailSettings, trust: ssl.SSLContext | None = None) -> list[str]:
    """A sentence with its mend if the mail server does not take us; no mail is sent."""
    try:
        await Mailbox(settings, trust).look()
    except OutsideError as error:
        words = str(error).rstrip(".")
        return [f"SMTP_URL: {words}. Check host, port, user and password, and whether it wants smtps://."]
    return []
