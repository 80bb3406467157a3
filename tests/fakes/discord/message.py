"""A message on the fake Discord, with what became of it over time."""

from dataclasses import dataclass, field

from tests.fakes.discord import components, rules
from tests.fakes.discord.errors import Json
from tests.fakes.discord.shapes import Channel, User


@dataclass(slots=True)
class Message:
    """A message, with what became of it over time."""

    wire: Json
    channel: Channel
    author: User
    only_for: str | None = None
    """The id of the one user who sees it, for an ephemeral message."""
    versions: list[tuple[float, str]] = field(default_factory=list)
    """Monotonic time and text, once at creation and once an edit."""
    pings: list[str] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    """Uploaded files by name."""

    @property
    def id(self) -> str:
        """The message's snowflake."""
        return str(self.wire["id"])

    @property
    def text(self) -> str:
        """The text as it stands, that of components included."""
        return "\n".join(
            filter(None, (str(self.wire["content"]), *components.texts(self.wire["components"])))
        )

    def boxed(self) -> str:
        """Return the text that stands in boxes (containers)."""
        boxes = [node for node in self.wire["components"] if node["type"] == components.CONTAINER]
        return "\n".join(components.texts(boxes))

    @property
    def loading(self) -> bool:
        """Whether it still shows "is thinking"."""
        return bool(self.wire["flags"] & rules.LOADING)

    def buttons(self) -> list[Json]:
        """Return the buttons in reading order."""
        return components.buttons(self.wire["components"])

    def button(self, label: str) -> Json:
        """Return the first button whose label contains `label`; LookupError if there is none."""
        for node in self.buttons():
            if label.lower() in str(node.get("label", "")).lower():
                return node
        message = f"no button {label!r} on {self.text!r}: {[node.get('label') for node in self.buttons()]}"
        raise LookupError(message)
