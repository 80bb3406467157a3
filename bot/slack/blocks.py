"""Frames and replies as Slack messages: a Markdown block, a footer, buttons, and a text for notifications."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from bot.reply import Button, Frame, Reply, State, Style
from bot.slack.text import escape, fallback, harmless
from bot.words import say

Block = dict[str, Any]

PAGE_LIMIT = 9_000
"""Below the 12,000 of a Markdown block, since making mentions harmless can lengthen a page by a sixth."""
PRESS = "press:"
"""Begins the action_id of buttons that come back to us; what follows is the button's action."""
LABEL_LIMIT = 75
QUESTION_SHOWN = 300


@dataclass(frozen=True, slots=True)
class Content:
    """What a message shows."""

    text: str
    blocks: tuple[Block, ...]


def of_reply(reply: Reply) -> Content:
    """A complete reply."""
    return Content(fallback(reply.text), (*markdown(reply.text), *actions(reply.buttons)))


def of_frame(frame: Frame, above: Sequence[Block] = ()) -> tuple[Content, ...]:
    """An answer as messages: one for each page, `above` on the first, footer and buttons on the last."""
    if not frame.pages:
        words = say("slack-thinking") if frame.state is State.THINKING else say("slack-no-text")
        below = small(" · ".join(filter(None, (words, frame.footer))))
        return (Content(words, (*above, *below, *actions(frame.buttons))),)
    below = (*small(frame.footer), *actions(frame.buttons))
    return tuple(_messages(grouped(frame), above, below))


def grouped(frame: Frame) -> list[tuple[str, ...]]:
    """The pages by message: the words that end a failed answer, its last page, stay with the text before.

    They get a block of their own there, since that text may end within a code fence.
    """
    alone = [(page,) for page in frame.pages]
    if frame.state is State.FAILED and len(alone) > 1:
        return [*alone[:-2], frame.pages[-2:]]
    return [*alone]


def _messages(
    groups: Sequence[tuple[str, ...]], above: Sequence[Block], below: Sequence[Block]
) -> Iterator[Content]:
    for number, group in enumerate(groups):
        body = [block for page in group for block in markdown(page)]
        head = above if number == 0 else ()
        foot = below if number == len(groups) - 1 else ()
        yield Content(fallback("\n".join(group)), (*head, *body, *foot))


def question(user: str, prompt: str) -> tuple[Block, ...]:
    """Who asked what, above an answer to a command that nobody else saw."""
    shown = prompt if len(prompt) <= QUESTION_SHOWN else f"{prompt[:QUESTION_SHOWN]} …"
    line = say("slack-asked", member=f"<@{user}>", question=escape(" ".join(shown.split())))
    return ({"type": "context", "elements": [{"type": "mrkdwn", "text": line}]},)


def markdown(text: str) -> tuple[Block, ...]:
    """Common Markdown as Slack renders it."""
    return ({"type": "markdown", "text": harmless(text)},) if text else ()


def small(text: str) -> tuple[Block, ...]:
    """A quiet line."""
    if not text:
        return ()
    return ({"type": "context", "elements": [{"type": "plain_text", "text": text, "emoji": False}]},)


def actions(buttons: Sequence[Button]) -> tuple[Block, ...]:
    """A row of buttons."""
    row = [element(number, button) for number, button in enumerate(buttons)]
    return ({"type": "actions", "elements": row},) if row else ()


def element(number: int, button: Button) -> Block:
    """One button; a link has an action_id too, since Slack tells us of its clicks."""
    block: Block = {
        "type": "button",
        "text": {"type": "plain_text", "text": button.label[:LABEL_LIMIT], "emoji": False},
        "action_id": f"{PRESS}{button.action}" if button.action else f"link:{number}",
    }
    if button.url:
        block["url"] = button.url
    if button.style is not Style.PLAIN:
        block["style"] = button.style.value
    return block
