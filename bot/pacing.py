"""Streamed text to few enough edits: a clock for each channel under one budget for the process."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass

REMEMBERED_CHANNELS = 4096


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds between two paints of a channel, and paints a second of the whole process."""

    channel: float
    process: float


class Pacing:
    """Hands out the moments at which a channel may be painted, first come first served.

    Discord takes 5 messages in 5 s of a channel and 50 requests a second of a bot; Slack's `chat.update` is a
    tier-3 method. A moment is given only to text that is the latest then, so nothing stale ever queues.
    """

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._channels: OrderedDict[str, float] = OrderedDict()
        self._process = 0.0

    async def moment(self, channel: str) -> None:
        """Wait until the channel may be painted once."""
        now = asyncio.get_running_loop().time()
        at = max(now, self._channels.get(channel, 0.0), self._process)
        self._channels[channel] = at + self._pace.channel
        self._channels.move_to_end(channel)
        self._process = max(now, self._process) + 1 / self._pace.process
        if len(self._channels) > REMEMBERED_CHANNELS:
            self._channels.popitem(last=False)
        await asyncio.sleep(at - now)
