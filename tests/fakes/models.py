"""Models that follow a script, through the Model port."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator, Sequence
from dataclasses import dataclass, field

from engine.errors import OutsideError
from engine.files import Image
from engine.models import Chunk, Completion, Finish, Finished, TextDelta, Thinking, Usage
from engine.moderating import FINE, Verdict

SPENT = Usage(100, 0, 50)


@dataclass(slots=True)
class Scripted:
    """Says `words`, waits for `go` before the word numbered `pause`, and ends as told.

    Each word takes `every` seconds; an `echo` begins with what was asked. Before its words it reasons
    `thoughts` times, and if it is `pensive` after each as well.
    """

    words: tuple[str, ...] = ("Hello ", "there.")
    finish: Finish | None = Finish.END
    errors: list[OutsideError] = field(default_factory=list)
    fail_after: int = 0
    usage: Usage = SPENT
    pause: int | None = None
    every: float = 0.0
    echo: bool = False
    thoughts: int = 0
    pensive: bool = False
    go: asyncio.Event = field(default_factory=asyncio.Event)
    waiting: asyncio.Event = field(default_factory=asyncio.Event)
    seen: list[Completion] = field(default_factory=list)
    closed: int = 0
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a request has come to its end."""

    async def stream(self, completion: Completion) -> AsyncGenerator[Chunk, None]:
        """Play the script; each error of `errors` ends one stream, after `fail_after` words."""
        self.seen.append(completion)
        try:
            for number, chunk in self._chunks(completion):
                if self.every:
                    await asyncio.sleep(self.every)
                if self.errors and number == self.fail_after:
                    raise self.errors.pop(0)
                if number == self.pause:
                    self.waiting.set()
                    await self.go.wait()
                yield chunk
            if self.errors:
                raise self.errors.pop(0)
            if self.finish:
                yield Finished(self.finish, self.usage)
        finally:
            self.closed += 1
            self.ended.set()

    def _chunks(self, completion: Completion) -> Iterator[tuple[int, Chunk]]:
        """The words with their numbers, and signs of reasoning, which have none."""
        asked = (completion.messages[-1].text + " ",) if self.echo else ()
        yield from [(-1, Thinking())] * self.thoughts
        for number, word in enumerate((*asked, *self.words)):
            yield number, TextDelta(word)
            yield from [(-1, Thinking())] * self.pensive


@dataclass(slots=True)
class Looker:
    """Looks at questions by a script: flags what holds `bad`, or fails."""

    bad: str = "bad"
    error: OutsideError | None = None
    go: asyncio.Event | None = None
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    seen: list[tuple[str, int]] = field(default_factory=list)

    async def check(self, text: str, images: Sequence[Image] = ()) -> Verdict:
        """Note what is asked, and the number of images; wait for `go`, if there is one."""
        self.seen.append((text, len(images)))
        self.asked.set()
        if self.go:
            await self.go.wait()
        if self.error:
            raise self.error
        return Verdict(flagged=True, categories=("harassment", "violence")) if self.bad in text else FINE
