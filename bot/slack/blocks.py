"""Frames and replies as Slack messages: a Markdown block, a footer, buttons, and a text for notifications."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from slack_sdk.models.blocks import ContextActionsBlock, FeedbackButtonsElement
from slack_sdk.models.blocks.basic_components import FeedbackButtonObject

from bot.reply import Button, Frame, Reply, State, Style
from bot.slack.text import escape, fallback, harmless
from bot.words import say
from engine.domain import TurnId

Block = dict[str, Any]

PAGE_LIMIT = 9_000
"""Below the 12,000 of a Markdown block, since making mentions harmless can lengthen a page by a sixth."""
PRESS = "press:"
"""Begins the action_id of buttons that come back to us; what follows is the button's action."""
ALONE = "alone"
"""The block_id of buttons in what one member alone sees, so that what comes of them is theirs alone, too."""
LABEL_LIMIT = 75
QUESTION_SHOWN = 300


@dataclass(frozen=True, slots=True)
class Content:
    """What a message shows."""

    text: str
    blocks: tuple[Block, ...]


def of_reply(reply: Reply, *, alone: bool = False) -> Content:
    """A complete reply: our own words, in which channels are links; `alone` as for `actions`."""
    words = fallback(reply.text, channels=True)
    text = markdown(reply.text, channels=True, people=reply.people and reply.private)
    return Content(words, (*text, *actions(reply.buttons, alone=alone)))


@dataclass(frozen=True, slots=True)
class Page:
    """One message of an answer: its text, words that end it, and what stands around both.

    The words get a block of their own, since the text before may end within a code fence.
    """

    text: str
    note: str = ""
    above: tuple[Block, ...] = ()
    below: tuple[Block, ...] = ()
    blank: str = ""
    """What notifications tell of a message without either."""

    @property
    def content(self) -> Content:
        """The whole message."""
        shown = "\n".join(filter(None, (self.text, self.note)))
        blocks = (*self.above, *markdown(self.text), *self.foot)
        return Content(fallback(shown or self.blank), blocks)

    @property
    def foot(self) -> tuple[Block, ...]:
        """All that stands below the text."""
        return (*markdown(self.note), *self.below)


def of_frame(frame: Frame, above: Sequence[Block] = (), *, alone: bool = False) -> tuple[Page, ...]:
    """An answer as messages: one for each page, `above` on the first, footer and buttons on the last.

    `alone`: for the asker's eyes; without thumbs, since Slack does not say whether such messages take them.
    """
    buttons = actions(frame.buttons, alone=alone)
    if not frame.pages:
        words = say("slack-reasoning") if frame.reasons else say("slack-thinking")
        if frame.state is not State.THINKING:
            words = say("slack-no-text")
        below = small(" · ".join(filter(None, (words, frame.footer))))
        return (Page("", "", (*above,), (*below, *buttons), words),)
    texts, note = parted(frame)
    if frame.title:
        texts = (f"**{frame.title}**\n\n{texts[0]}", *texts[1:])
    below = (*small(frame.footer), *buttons, *thumbs(None if alone else frame.rated))
    last = len(texts) - 1
    return tuple(
        Page(
            text,
            note if number == last else "",
            (*above,) if number == 0 else (),
            below if number == last else (),
        )
        for number, text in enumerate(texts)
    )


def parted(frame: Frame) -> tuple[tuple[str, ...], str]:
    """The pages of the answer itself, and the words that end a failed or stopped one, in its last message."""
    if frame.state in {State.FAILED, State.STOPPED} and len(frame.pages) > 1:
        return frame.pages[:-1], frame.pages[-1]
    return frame.pages, ""


def question(user: str, prompt: str) -> tuple[Block, ...]:
    """Who asked what, above an answer to a command that nobody else saw."""
    shown = prompt if len(prompt) <= QUESTION_SHOWN else f"{prompt[:QUESTION_SHOWN]} …"
    line = say("slack-asked", member=f"<@{user}>", question=escape(" ".join(shown.split())))
    return ({"type": "context", "elements": [{"type": "mrkdwn", "text": line, "verbatim": True}]},)


def markdown(text: str, *, channels: bool = False, people: bool = False) -> tuple[Block, ...]:
    """Common Markdown as Slack renders it; `channels` and `people` as for `harmless`."""
    return ({"type": "markdown", "text": harmless(text, channels=channels, people=people)},) if text else ()


def small(text: str) -> tuple[Block, ...]:
    """A quiet line."""
    if not text:
        return ()
    return ({"type": "context", "elements": [{"type": "plain_text", "text": text, "emoji": False}]},)


def actions(buttons: Sequence[Button], *, alone: bool = False) -> tuple[Block, ...]:
    """A row of buttons; what comes of those in an answer for one member `alone` is for them alone."""
    row: Block = {"type": "actions", "elements": [element(*each) for each in enumerate(buttons)]}
    return ((row | {"block_id": ALONE}) if alone else row,) if buttons else ()


def thumbs(turn: TurnId | None) -> tuple[Block, ...]:
    """Two small buttons to say what one thinks of an answer."""
    if turn is None:
        return ()
    thumb = FeedbackButtonsElement(
        action_id=f"{PRESS}rate:{turn}",
        positive_button=FeedbackButtonObject(text=say("rate-good")[:LABEL_LIMIT], value="good"),
        negative_button=FeedbackButtonObject(text=say("rate-bad")[:LABEL_LIMIT], value="bad"),
    )
    return (ContextActionsBlock(elements=[thumb]).to_dict(),)


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
