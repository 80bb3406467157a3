"""The three vendors' streaming protocols, written as the vendors write them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

Json = Mapping[str, object]


class Vendor(StrEnum):
    """Who is faked."""

    OPENAI = "openai"
    ANTHROPIC = "anthropic"
    GEMINI = "gemini"


@dataclass(frozen=True, slots=True)
class Count:
    """Tokens to report: `sent` includes those read from a cache and written to it, `words` no reasoning."""

    sent: int = 20
    cached: int = 0
    reasoning: int = 0
    words: int = 5
    written: int = 0


class Wire(Protocol):
    """How one vendor writes a stream."""

    def start(self, count: Count) -> bytes:
        """What comes before the first word."""
        ...

    def word(self, text: str) -> bytes:
        """A piece of the answer."""
        ...

    def thought(self, text: str) -> bytes:
        """A piece of the reasoning."""
        ...

    def stop(self, reason: str, count: Count) -> bytes:
        """The end, with its reason and the count."""
        ...

    def trouble(self, kind: str) -> bytes:
        """An error inside the stream."""
        ...

    def refusal(self, status: int, code: str, text: str) -> Json:
        """The body of a reply with an error's status."""
        ...


def event(data: Json, name: str | None = None) -> bytes:
    """One server-sent event."""
    return (f"event: {name}\n" if name else "").encode() + b"data: " + json.dumps(data).encode() + b"\n\n"


class OpenAIWire:
    """chat.completion.chunk events, a last one for the usage, then `[DONE]`."""

    def start(self, count: Count) -> bytes:
        del count
        return self._chunk({"role": "assistant", "content": "", "refusal": None})

    def word(self, text: str) -> bytes:
        return self._chunk({"content": text})

    def thought(self, text: str) -> bytes:
        return self._chunk({"content": None, "reasoning_content": text})

    def stop(self, reason: str, count: Count) -> bytes:
        usage = {
            "prompt_tokens": count.sent,
            "completion_tokens": count.words + count.reasoning,
            "total_tokens": count.sent + count.words + count.reasoning,
            "prompt_tokens_details": {"cached_tokens": count.cached, "cache_write_tokens": count.written},
            "completion_tokens_details": {"reasoning_tokens": count.reasoning},
        }
        last = event({**self._base(), "choices": [], "usage": usage})
        return self.finish(reason) + last + b"data: [DONE]\n\n"

    def finish(self, reason: str) -> bytes:
        """The end of the answer alone, as servers send it that count no tokens."""
        return self._chunk({}, reason)

    def trouble(self, kind: str) -> bytes:
        return event({"error": {"message": "It went wrong.", "type": kind, "param": None, "code": None}})

    def refusal(self, status: int, code: str, text: str) -> Json:
        del status
        return {"error": {"message": text, "type": "invalid_request_error", "param": None, "code": code}}

    def _base(self) -> Json:
        kind = "chat.completion.chunk"
        return {"id": "chatcmpl-1", "object": kind, "created": 1790000000, "model": "fake", "usage": None}

    def _chunk(self, delta: Json, reason: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        return event({**self._base(), "choices": [choice]})


class AnthropicWire:
    """Typed events; what was read from the cache is counted apart from the input."""

    def start(self, count: Count) -> bytes:
        usage = {
            "input_tokens": count.sent - count.cached - count.written,
            "cache_creation_input_tokens": count.written,
            "cache_read_input_tokens": count.cached,
            "output_tokens": 1,
        }
        message = {"id": "msg_1", "type": "message", "role": "assistant", "model": "fake", "content": []}
        ends = {"stop_reason": None, "stop_sequence": None, "usage": usage}
        begun = self._event({"type": "message_start", "message": {**message, **ends}})
        return begun + self._event({"type": "ping"})

    def word(self, text: str) -> bytes:
        return self._delta(1, {"type": "text_delta", "text": text})

    def thought(self, text: str) -> bytes:
        return self._delta(0, {"type": "thinking_delta", "thinking": text})

    def stop(self, reason: str, count: Count) -> bytes:
        details = {"thinking_tokens": count.reasoning}
        usage = {"output_tokens": count.words + count.reasoning, "output_tokens_details": details}
        delta = {"stop_reason": reason, "stop_sequence": None}
        return self._event({"type": "message_delta", "delta": delta, "usage": usage}) + self._event(
            {"type": "message_stop"}
        )

    def trouble(self, kind: str) -> bytes:
        return self._event({"type": "error", "error": {"type": kind, "message": "It went wrong."}})

    def refusal(self, status: int, code: str, text: str) -> Json:
        del status
        return {"type": "error", "error": {"type": code or "invalid_request_error", "message": text}}

    def _delta(self, index: int, delta: Json) -> bytes:
        return self._event({"type": "content_block_delta", "index": index, "delta": delta})

    def _event(self, data: Json) -> bytes:
        return event(data, str(data["type"]))


class GeminiWire:
    """GenerateContentResponse events, thoughts marked as such and counted apart from the answer."""

    def start(self, count: Count) -> bytes:
        del count
        return b""

    def word(self, text: str) -> bytes:
        return self._candidate({"text": text})

    def thought(self, text: str) -> bytes:
        return self._candidate({"text": text, "thought": True})

    def stop(self, reason: str, count: Count) -> bytes:
        usage = {
            "promptTokenCount": count.sent,
            "cachedContentTokenCount": count.cached,
            "candidatesTokenCount": count.words,
            "thoughtsTokenCount": count.reasoning,
        }
        candidate = {"content": {"role": "model", "parts": [{"text": ""}]}, "finishReason": reason}
        return event({"candidates": [candidate], "usageMetadata": usage, "modelVersion": "fake"})

    def trouble(self, kind: str) -> bytes:
        return event({"error": {"code": 503, "message": "It went wrong.", "status": kind}})

    def refusal(self, status: int, code: str, text: str) -> Json:
        return {"error": {"code": status, "message": text, "status": code}}

    def _candidate(self, part: Json) -> bytes:
        return event({"candidates": [{"content": {"role": "model", "parts": [part]}, "index": 0}]})


WIRES: Mapping[Vendor, Wire] = {
    Vendor.OPENAI: OpenAIWire(),
    Vendor.ANTHROPIC: AnthropicWire(),
    Vendor.GEMINI: GeminiWire(),
}
