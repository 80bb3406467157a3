"""A mail server on loopback: with or without TLS, STARTTLS and a password, and refusing as it is told."""

from __future__ import annotations

import asyncio
import ssl
import warnings
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

USER, PASSWORD = "operator@example.com", "p@ss/word"


@dataclass(slots=True)
class Sink:
    """Takes mail; `says` are the answers to the next messages instead, `refused` whom it does not know."""

    says: list[str] = field(default_factory=list)
    refused: frozenset[str] = frozenset()
    cut: int = 0
    """After so many of the next messages are taken, the line breaks off before it says so."""
    stall: asyncio.Event | None = None
    """Set once a message is here, which is never answered."""
    taken: list[EmailMessage] = field(default_factory=list)
    envelopes: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    logins: int = 0
    connections: int = 0
    encrypted: list[bool] = field(default_factory=list)
    port: int = 0

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take a receiver, unless nobody of that name is known."""
        del server, session, options
        if address in self.refused:
            return f"550 5.1.1 nobody of the name <{address}>"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - as above
        """Take a message, or answer what was told."""
        del session
        if self.stall:
            self.stall.set()
            await asyncio.Event().wait()
        if self.says:
            return self.says.pop(0)
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        made = message_from_bytes(content, policy=policy.default)
        assert isinstance(made, EmailMessage)
        self.taken.append(made)
        self.envelopes.append((envelope.mail_from or "", tuple(envelope.rcpt_tos)))
        line = server.transport
        assert isinstance(line, asyncio.Transport)
        self.encrypted.append(line.get_extra_info("sslcontext") is not None)
        if self.cut:
            self.cut -= 1
            line.abort()
        return "250 OK"

    def login(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, given: object
    ) -> AuthResult:
        """Whether user and password are right."""
        del server, session, envelope, mechanism
        self.logins += 1
        right = LoginPassword(USER.encode(), PASSWORD.encode())
        return AuthResult(success=given == right, handled=False)


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a server shows, and what trusts it."""

    server: ssl.SSLContext
    trust: ssl.SSLContext


def certificate(folder: Path) -> Certificate:
    """A certificate of 127.0.0.1 and localhost, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, private = folder / "cert.pem", folder / "key.pem"
    pem.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(pem, private)
    return Certificate(server, ssl.create_default_context(cafile=str(pem)))


@asynccontextmanager
async def served(
    sink: Sink, tls: ssl.SSLContext | None = None, *, starttls: bool = True, password: bool = False
) -> AsyncIterator[Sink]:
    """A server on a free port; `tls` for STARTTLS, or from the first byte on without it."""

    def make() -> SMTP:
        sink.connections += 1
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", UserWarning
            )  # that it takes passwords in the clear, where it does
            return SMTP(
                sink,
                hostname="mail.test",
                tls_context=tls if starttls else None,
                authenticator=sink.login if password else None,
                auth_required=password,
                auth_require_tls=starttls and tls is not None,
            )

    factory: Callable[[], asyncio.Protocol] = make
    loop = asyncio.get_running_loop()
    server = await loop.create_server(factory, "127.0.0.1", 0, ssl=None if starttls else tls)
    sink.port = server.sockets[0].getsockname()[1]
    try:
        yield sink
    finally:
        server.close()
        await server.wait_closed()
