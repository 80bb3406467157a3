"""The words of models: what is asked of one, what it answers, and what that costs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from engine.files import Image, Medium, Pdf


class ModelClass(StrEnum):
    """What a model costs and is good for, in three steps."""

    EVERYDAY = "everyday"
    STRONG = "strong"
    FRONTIER = "frontier"


@dataclass(frozen=True, slots=True)
class Price:
    """Micro-dollars per million tokens; the input price is for tokens that were not cached."""

    input: int
    cached_input: int
    output: int
    cache_write: int | None = None
    """For input that the vendor put into its cache; None: as `input`."""
    reasoning: int | None = None
    """For what a model thought; None: as `output`."""


@dataclass(frozen=True, slots=True)
class DatedPrice:
    """A price from a moment on."""

    since: datetime
    price: Price


class Effort(StrEnum):
    """How much a model that can reason is asked to."""

    OFF = "off"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """One model that members can choose, by the name they see."""

    name: str
    provider: str
    vendor_id: str
    klass: ModelClass
    context: int
    max_output: int
    price: Price | None = None
    fallback: tuple[str, ...] = ()
    description: str = ""
    accepts: frozenset[Medium] = frozenset()
    prices: tuple[DatedPrice, ...] = ()
    """What config.toml says, oldest first; `price` is the one of now."""
    reasoning: Effort | None = None
    """What its vendor is asked for; None leaves that to the vendor."""
    first_token: float | None = None
    """Seconds until the first sign of an answer; None: as the adapter has it."""
    between_tokens: float | None = None
    """Seconds between two signs, likewise."""
    hedge_after: float | None = None
    """Seconds without text after which its first fallback is asked beside it; None: never."""

    @property
    def sees(self) -> bool:
        """Whether images may be sent to it."""
        return Medium.IMAGES in self.accepts

    @property
    def reads(self) -> bool:
        """Whether PDFs may be sent to it as they are."""
        return Medium.PDF in self.accepts


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one answer; input includes what was read from and written to a cache, output reasoning."""

    input_tokens: int = 0
    cached_input_tokens: int = 0
    output_tokens: int = 0
    estimated: bool = False
    cache_written_tokens: int = 0
    reasoning_tokens: int = 0


NO_USAGE = Usage()


class Role(StrEnum):
    """Who says a message to a model."""

    USER = "user"
    ASSISTANT = "assistant"


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a model's input; its files come before its text."""

    role: Role
    text: str
    """All of it, with that of PDFs."""
    images: tuple[Image, ...] = ()
    pdfs: tuple[Pdf, ...] = ()
    """Those that are sent as they are, in the order in which `text` reads them out."""

    @property
    def brings(self) -> frozenset[Medium]:
        """What a model must take to be asked this."""
        shown = {Medium.IMAGES} if self.images else set[Medium]()
        return frozenset(shown | {Medium.PDF for pdf in self.pdfs if pdf.wordless})

    @property
    def said(self) -> str:
        """The text that is sent beside the files: without that of PDFs."""
        kept, at = "", 0
        for pdf in self.pdfs:
            kept, at = kept + self.text[at : pdf.start], pdf.stop
        return kept + self.text[at:]

    @property
    def worded(self) -> Message:
        """The same with PDFs as their text, as far as they have any."""
        return replace(self, pdfs=tuple(pdf for pdf in self.pdfs if pdf.wordless))


@dataclass(frozen=True, slots=True)
class Completion:
    """All that a model is asked: its vendor's id, the messages (last one the member's) and our output cap."""

    vendor_id: str
    system: str
    messages: tuple[Message, ...]
    max_output: int
    reasoning: Effort | None = None
    first_token: float | None = None
    """Seconds; None here and below: as the adapter has it."""
    between_tokens: float | None = None
    stable: int = 0
    """How many messages from the first on the next question of the conversation will begin with again."""
    pinned: int = 0
    """How many from the first on sum up what was said before the others, and are left out last."""


class Finish(StrEnum):
    """Why a model stopped by itself."""

    END = "end"
    LENGTH = "length"
    SAFETY = "safety"


@dataclass(frozen=True, slots=True)
class TextDelta:
    """A piece of a model's answer."""

    text: str


@dataclass(frozen=True, slots=True)
class Thinking:
    """The model is reasoning; what it thinks is never shown."""


@dataclass(frozen=True, slots=True)
class Finished:
    """The end of a model's stream, which every complete stream has exactly once."""

    finish: Finish
    usage: Usage


Chunk = TextDelta | Thinking | Finished
