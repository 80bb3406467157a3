"""The words of models: what is asked of one, what it answers, and what that costs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from engine.files import Image, Medium


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

    @property
    def sees(self) -> bool:
        """Whether images may be sent to it."""
        return Medium.IMAGES in self.accepts


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one answer; input includes the cached part, output includes reasoning."""

    input_tokens: int = 0
    cached_input_tokens: int = 0
    output_tokens: int = 0
    estimated: bool = False


NO_USAGE = Usage()


class Role(StrEnum):
    """Who says a message to a model."""

    USER = "user"
    ASSISTANT = "assistant"


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a model's input; images come before its text."""

    role: Role
    text: str
    images: tuple[Image, ...] = ()


@dataclass(frozen=True, slots=True)
class Completion:
    """All that a model is asked: its vendor's id, the messages (last one the member's) and our output cap."""

    vendor_id: str
    system: str
    messages: tuple[Message, ...]
    max_output: int


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
class Finished:
    """The end of a model's stream, which every complete stream has exactly once."""

    finish: Finish
    usage: Usage


Chunk = TextDelta | Finished
