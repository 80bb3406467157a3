"""Where a question goes on: at a place in the chat, or at an answer to be given again or continued."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from engine import enclosures
from engine.context import HISTORY_TURNS
from engine.domain import Account, Ask, Conversation, Redo, RefusalReason, TurnId
from engine.ledger import Tx
from engine.models import Finish, Message, Role
from engine.turns import DM_IDLE, Branch, Exchange, Turn, TurnState

GO_ON = (
    "Your last answer was cut off. Go on exactly where it ended, without repeating or announcing anything."
)
"""What a model is asked for `Redo.CONTINUE`."""


@dataclass(frozen=True, slots=True)
class Origin:
    """A question with the branch that it goes on from."""

    ask: Ask
    prompt: Message
    """What the model is asked, which for one that is done again is what it was asked before."""
    branch: Branch | None = None
    """None begins a new conversation."""
    again: str | None = None
    """The model that answered before, if an answer is given again or continued."""

    @property
    def conversation(self) -> Conversation | None:
        """The conversation that goes on."""
        return self.branch.conversation if self.branch else None

    @property
    def parent(self) -> TurnId | None:
        """The turn before this one."""
        return self.branch.tip if self.branch else None

    @property
    def live_turns(self) -> int:
        """Turns that its conversation has already, of all branches."""
        return self.branch.conversation.live_turns if self.branch else 0


def origin(tx: Tx, account: Account, ask: Ask, now: datetime) -> Origin | RefusalReason:
    """Where a question goes on, under its account's lock; a reason if what it is about cannot be redone."""
    if ask.redo:
        return redone(tx, account, ask)
    return Origin(ask, written(ask), current(tx, account, ask, now))


def written(ask: Ask) -> Message:
    """A new question as the model gets it."""
    text, files = ask.text, ask.attachments
    told = enclosures.told(text, files)
    return Message(Role.USER, told, enclosures.images(files), enclosures.pdfs(text, files))


def current(tx: Tx, account: Account, ask: Ask, now: datetime) -> Branch | None:
    """The branch that a new question continues; a DM that rested too long begins a new conversation."""
    found = tx.find_branch(account.id, ask.anchors) if ask.anchors else None
    if found and ask.dm and now - found.conversation.last_at >= DM_IDLE:
        return None
    return found


def redone(tx: Tx, account: Account, ask: Ask) -> Origin | RefusalReason:
    """The question behind an answer, to be asked once more; or the wish to go on with that answer."""
    about = tx.turn(ask.about) if ask.about else None
    conversation = tx.conversation(about.conversation) if about else None
    if about is None or conversation is None or conversation.emptied:
        return RefusalReason.GONE
    if about.account != account.id:
        return RefusalReason.NOT_YOURS
    if ask.redo is Redo.CONTINUE:
        if not cut(about):
            return RefusalReason.NOT_CUT
        return Origin(ask, Message(Role.USER, GO_ON), Branch(conversation, about.id), about.model)
    prompt = Message(Role.USER, about.prompt, about.images, about.pdfs)
    return Origin(ask, prompt, Branch(conversation, about.parent), about.model)


def cut(turn: Turn) -> bool:
    """Whether an answer ended at its longest."""
    return turn.state is TurnState.SETTLED and turn.outcome == Finish.LENGTH


def history(tx: Tx, start: Origin, room: int) -> Sequence[Exchange]:
    """What was said on the way to the question, from its last summary on; about so many characters of it."""
    return tx.history(start.parent, HISTORY_TURNS, room) if start.parent else ()
