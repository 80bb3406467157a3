"""A Discord on loopback which the real client accepts."""

from base64 import b64encode
from types import TracebackType
from typing import Self

from aiohttp import web

from tests.fakes.discord.faults import Faults
from tests.fakes.discord.gateway import Gateway
from tests.fakes.discord.interaction import Interactions
from tests.fakes.discord.people import People
from tests.fakes.discord.routes import Call, Routes
from tests.fakes.discord.server import LARGEST, ROOT, Server
from tests.fakes.discord.spec import load_spec
from tests.fakes.discord.world import World
from tests.fakes.pulse import PATIENCE
from tests.fakes.shelf import Shelf

TOKEN = f"{b64encode(b'1234567890').decode()}.fake-discord-token"
"""Like any bot token it begins with the application's id."""


class FakeDiscord(People):
    """One server, its members and the bot's application; use it as an async context manager.

    `findings` lists every request that Discord would refuse or that its OpenAPI document does not allow.
    """

    def __init__(self, *, token: str = TOKEN, check: bool = True) -> None:
        self.token = token
        self.findings: list[str] = []
        self.world = World()
        self.interactions = Interactions(self.world, self.findings)
        self.gateway = Gateway(self.world, token, lambda: self.gateway_url)
        self.routes = Routes(self.world, self.interactions, lambda: self.gateway_url, self.gateway.may_read)
        self.server = Server(self.routes, token, self.findings, load_spec() if check else None)
        self.app = web.Application(client_max_size=LARGEST)
        self.app.router.add_get("/gateway/", self.gateway.handle)
        self.server.mount(self.app)
        self.shelf = Shelf()
        self.app.router.add_get("/attachments/{rest:.*}", self.shelf.serve)
        self._runner: web.AppRunner | None = None
        self._port = 0

    async def start(self, port: int = 0) -> None:
        """Listen on loopback; port 0 takes any free one."""
        self._runner = web.AppRunner(self.app, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", port).start()
        self._port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Cut all sockets and stop listening."""
        await self.gateway.drop(forget=True)
        if self._runner is not None:
            await self._runner.cleanup()

    async def __aenter__(self) -> Self:
        """Start on a free port."""
        await self.start()
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """Stop."""
        await self.stop()

    @property
    def api_base(self) -> str:
        """REST root, for DISCORD_API_BASE."""
        return f"http://127.0.0.1:{self._port}{ROOT}"

    @property
    def files_base(self) -> str:
        """Where uploaded files are; Discord has hosts of their own for them."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def gateway_url(self) -> str:
        """Websocket address, for DISCORD_GATEWAY_URL."""
        return f"ws://127.0.0.1:{self._port}/gateway/"

    @property
    def variables(self) -> dict[str, str]:
        """The environment that leads a bot here."""
        return {
            "DISCORD_TOKEN": self.token,
            "DISCORD_API_BASE": self.api_base,
            "DISCORD_GATEWAY_URL": self.gateway_url,
        }

    @property
    def calls(self) -> list[Call]:
        """Every REST request so far, failed ones included."""
        return self.server.calls

    @property
    def faults(self) -> Faults:
        """Failures to plan."""
        return self.server.faults

    async def connected(self, sessions: int = 1, seconds: float = PATIENCE) -> None:
        """Wait until that many gateway sessions are live and have been sent all that is due."""
        await self.world.pulse.until(lambda: self.gateway.ready() >= sessions, seconds)
