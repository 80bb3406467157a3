"""Mail over the wire: encrypted before a password is sent, tried again or not by what the server says."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path
from socket import gaierror

import pytest
from aiosmtplib import SMTPConnectError, SMTPConnectTimeoutError, SMTPServerDisconnected
from pydantic import SecretStr

from bot.mail import TIMEOUT, Mailbox, check_mail, remedy
from engine.errors import OutsideError, TellOperatorError, TryAgainError
from engine.settings import MailSettings
from tests.fakes.smtp import PASSWORD, USER, Certificate, Sink, certificate, served

BOT, ME, YOU = "bot@example.com", "me@example.com", "you@example.com"


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """Of this machine's mail server."""
    return certificate(Path(tmp_path_factory.mktemp("keys")))


def box(sink: Sink, *, tls: bool = False, login: bool = False, password: str = PASSWORD) -> MailSettings:
    """What leads to it."""
    user, secret = (USER, SecretStr(password)) if login else (None, None)
    return MailSettings("127.0.0.1", sink.port, tls, user, secret, BOT, (ME, YOU))


def letter(text: str = "Good morning") -> EmailMessage:
    made = EmailMessage()
    made["Subject"], made["From"], made["To"] = "Daily report", BOT, f"{ME}, {YOU}"
    made["Message-ID"] = "<daily@example.com>"
    made.set_content(text)
    return made


async def test_a_message_reaches_all_receivers(keys: Certificate) -> None:
    async with served(Sink(), keys.server) as sink:
        assert await Mailbox(box(sink), keys.trust).send(letter()) == ""
    assert sink.envelopes == [(BOT, (ME, YOU))]
    assert sink.taken[0]["Message-ID"] == "<daily@example.com>"
    assert sink.encrypted == [True], "STARTTLS is used where it is offered"


@pytest.mark.parametrize("tls", [False, True])
async def test_a_password_is_sent_over_an_encrypted_line(keys: Certificate, *, tls: bool) -> None:
    async with served(Sink(), keys.server, starttls=not tls, password=True) as sink:
        await Mailbox(box(sink, tls=tls, login=True), keys.trust).send(letter())
    assert (len(sink.taken), sink.logins, sink.encrypted) == (1, 1, [True])


async def test_without_starttls_no_password_is_sent_to_another_machine(
    keys: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.mail.LOOPBACK", frozenset())  # as if the server were far away
    async with served(Sink(), None, password=True) as sink:
        with pytest.raises(TellOperatorError, match="STARTTLS"):
            await Mailbox(box(sink, login=True), keys.trust).send(letter())
    assert (sink.taken, sink.logins) == ([], 0)


async def test_a_certificate_that_nobody_trusts_is_refused_before_the_password(keys: Certificate) -> None:
    async with served(Sink(), keys.server, password=True) as sink:
        with pytest.raises(TellOperatorError, match="certificate is not trusted"):
            await Mailbox(box(sink, login=True)).send(letter())
    assert (sink.taken, sink.logins) == ([], 0)


async def test_a_wrong_password_is_the_operators_to_mend(keys: Certificate) -> None:
    async with served(Sink(), keys.server, password=True) as sink:
        with pytest.raises(TellOperatorError, match="refuses the login") as caught:
            await Mailbox(box(sink, login=True, password="wrong"), keys.trust).send(letter())
    assert "wrong" not in str(caught.value)
    assert sink.taken == []


@pytest.mark.parametrize(
    ("says", "error"),
    [
        ("451 4.3.0 later", TryAgainError),
        ("421 4.7.0 too many", TryAgainError),
        ("550 5.7.1 looks like spam", TellOperatorError),
        ("554 5.0.0 no", TellOperatorError),
    ],
)
async def test_what_the_server_says_decides_whether_it_is_tried_again(
    keys: Certificate, says: str, error: type[OutsideError]
) -> None:
    async with served(Sink(says=[says]), keys.server) as sink:
        with pytest.raises(error):
            await Mailbox(box(sink), keys.trust).send(letter())
        await Mailbox(box(sink), keys.trust).send(letter())
    assert len(sink.taken) == 1


async def test_one_refused_receiver_keeps_the_others_from_nothing(keys: Certificate) -> None:
    async with served(Sink(refused=frozenset({YOU})), keys.server) as sink:
        missed = await Mailbox(box(sink), keys.trust).send(letter())
        assert missed == "receiver 2 of 2 is refused: 550 5.1.1 nobody of the name (an address)"
        with pytest.raises(TellOperatorError, match="refuses all receivers") as caught:
            await Mailbox(replace(box(sink), receivers=(YOU,)), keys.trust).send(letter())
        assert YOU not in str(caught.value), "it is told in channels"
    assert sink.envelopes == [(BOT, (ME,))]


async def test_a_server_that_is_away_or_breaks_off_is_tried_again(keys: Certificate) -> None:
    async with served(Sink(cut=1), keys.server) as sink:
        with pytest.raises(TryAgainError):
            await Mailbox(box(sink), keys.trust).send(letter())
    with pytest.raises(TryAgainError, match="cannot be reached"):
        await Mailbox(box(sink), keys.trust).send(letter())


def caused(why: OSError) -> SMTPConnectError:
    """A failure as the library has it."""
    error = SMTPConnectError(f"Error connecting to a host: {why}")
    error.__cause__ = why
    return error


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError("Multiple exceptions: [Errno 111] one, [Errno 101] two"), "takes no connection"),
        (SMTPConnectTimeoutError("Timed out"), "does not answer in time"),
        (SMTPServerDisconnected("Connection lost"), "hangs up"),
        (caused(gaierror(-2, "Name or service not known")), "no server has the name 127.0.0.1"),
        (caused(ConnectionRefusedError(111, "Connect call failed")), "refuses the connection"),
    ],
)
def test_a_server_that_cannot_be_reached_is_told_in_words_with_what_to_look_at(
    error: Exception, words: str
) -> None:
    told = str(
        remedy(
            error,
            MailSettings(
                "127.0.0.1", 25, tls=False, username=None, password=None, sender=BOT, receivers=(ME,)
            ),
        )
    )
    assert words in told
    assert "127.0.0.1" in told
    assert "SMTP_URL" in told
    assert "Errno" not in told


async def test_who_refuses_the_connection_is_named_with_host_and_port(keys: Certificate) -> None:
    async with served(Sink(), keys.server) as sink:
        gone = box(sink)
    with pytest.raises(TryAgainError, match=f"127.0.0.1:{gone.port} refuses the connection") as caught:
        await Mailbox(gone, keys.trust).look()
    assert "Errno" not in str(caught.value)


async def test_whoever_waits_no_longer_for_a_server_that_stalls_is_free_at_once(keys: Certificate) -> None:
    async with served(Sink(stall=asyncio.Event()), keys.server) as sink:
        sending = asyncio.create_task(Mailbox(box(sink), keys.trust).send(letter()))
        assert sink.stall
        await sink.stall.wait()
        sending.cancel()
        over, _ = await asyncio.wait({sending}, timeout=TIMEOUT / 3)
        assert over, "a farewell would be waited for as long as all of the time"


async def test_the_doctor_logs_in_and_sends_nothing(keys: Certificate) -> None:
    async with served(Sink(), keys.server, password=True) as sink:
        assert await check_mail(box(sink, login=True), keys.trust) == []
        [said] = await check_mail(box(sink, login=True, password="wrong"), keys.trust)
    assert said.startswith("SMTP_URL: the mail server refuses the login")
    assert "Check host, port, user and password" in said
    [away] = await check_mail(box(sink), keys.trust)
    assert away.startswith("SMTP_URL: the mail server cannot be reached")
    assert sink.taken == []
