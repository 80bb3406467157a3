"""Three offline models that show what the product does; nobody is asked and nothing is charged."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass
from zlib import crc32

from engine.context import size, tokens
from engine.errors import TellOperatorError
from engine.models import (
    Chunk,
    Completion,
    Effort,
    Finish,
    Finished,
    Message,
    Role,
    TextDelta,
    Thinking,
    Usage,
)
from providers.manners import coder, guide, sage

MANNERS: Mapping[str, Callable[[Sequence[Message]], str]] = {
    "demo-guide": guide.answer,
    "demo-coder": coder.answer,
    "demo-sage": sage.answer,
}
LABEL = "\n\n*({name} is a demo: no real model was asked.)*"


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds between two words, each pause somewhere between these."""

    shortest: float = 0.02
    longest: float = 0.06

    def pause(self, word: str) -> float:
        """The pause before a word, the same each time."""
        return self.shortest + (self.longest - self.shortest) * (crc32(word.encode()) % 100) / 100


class DemoModel:
    """Answers from a few rules, word by word, as a model would."""

    def __init__(self, pace: Pace | None = None) -> None:
        self._pace = pace or Pace()

    async def stream(self, completion: Completion) -> AsyncGenerator[Chunk, None]:
        manner = MANNERS.get(completion.vendor_id)
        if manner is None:
            known = ", ".join(MANNERS)
            raise TellOperatorError(f"demo: there is no model {completion.vendor_id!r}; there are {known}")
        answer = manner(completion.messages) + _label(completion)
        if completion.reasoning not in {None, Effort.OFF}:
            yield Thinking()
            await asyncio.sleep(self._pace.pause(answer) * 10)
        told, finish = "", Finish.END
        for word in re.findall(r"\s*\S+", answer):
            if tokens(told + word) > completion.max_output:
                finish = Finish.LENGTH
                break
            await asyncio.sleep(self._pace.pause(word))
            told += word
            yield TextDelta(word)
        yield Finished(finish, Usage(size(completion), 0, tokens(told), estimated=True))

    async def warm(self) -> None:
        """Nothing has to be loaded."""

    async def close(self) -> None:
        """Nothing has to be closed."""


def _label(completion: Completion) -> str:
    """Said at the first answer of a conversation; the footer names the model under each."""
    first = all(message.role is Role.USER for message in completion.messages)
    return LABEL.format(name=completion.vendor_id) if first else ""
