"""Looks at what members write before a model sees it: by a list of words, or by asking somebody outside."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Protocol
from unicodedata import category, normalize
from uuid import uuid4

from engine.alerts import Alert, AlertKind
from engine.domain import AccountId, FailureReason, TurnId
from engine.errors import OutsideError, TellOperatorError, TryAgainError
from engine.files import Image
from engine.ledger import Tx
from engine.models import Message
from engine.ports import Clock, Store
from engine.screening import NO_SCREENING, About, Finding, Looked, Screen, Screening, WhenAway

log = logging.getLogger("engine")

A_MINUTE = timedelta(seconds=60)
SETTINGS_A_MINUTE = 4
"""Looks at a member's instructions: those at questions are held by the limits of their tier."""
UNSPACED = r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\U00020000-\U0003ffff"
"""Scripts that put no space between words: Thai, Lao, Burmese, Khmer, kana and Chinese characters."""
RUN = re.compile(rf"[^\W{UNSPACED}]+")
LONG = 20_000
"""Characters that would hold the event loop up for more than 5 ms."""
IN_LIST = "words"
"""The category of all that a list of words names."""
MARKS = (0xAD, 0x34F, 0x61C, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFEFF, 0xFFA0)
FORMATS = (*range(0x180B, 0x1810), *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070))
SELECTORS = (*range(0xFE00, 0xFE10), *range(0xFFF0, 0xFFFC), *range(0xE0000, 0xE1000))
UNSEEN = dict.fromkeys((*MARKS, *FORMATS, *SELECTORS, *range(0x1BCA0, 0x1BCA4), *range(0x1D173, 0x1D17B)))
"""Characters that nobody sees and that would part a word: Default_Ignorable_Code_Point and the like."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What somebody who looked thinks; nothing of what they saw is in the names of the categories."""

    flagged: bool
    categories: tuple[str, ...] = ()


FINE = Verdict(flagged=False)


class Moderator(Protocol):
    """Somebody who looks."""

    async def check(self, text: str, images: Sequence[Image] = ()) -> Verdict:
        """Look at all of it, within a bounded time.

        OutsideError: it was not looked at. TryAgainError and TellOperatorError say that nothing could have
        been; any other that this text or these images could not.
        """
        ...


class WordList:
    """Whole words and phrases, in any case and width; `cafe` is not `café`."""

    def __init__(self, words: Sequence[str]) -> None:
        self._phrases = tuple(filter(None, map(folded, words)))
        self._parts = {phrase: frozenset(RUN.findall(phrase)) for phrase in self._phrases}

    async def check(self, text: str, images: Sequence[Image] = ()) -> Verdict:
        """Look at the text; an image holds no words."""
        del images
        long = len(text) > LONG
        named = await asyncio.to_thread(self.named_in, text) if long else self.named_in(text)
        return Verdict(flagged=True, categories=(IN_LIST,)) if named else FINE

    def named_in(self, text: str) -> bool:
        """Whether the text has any of them."""
        searched = folded(text)
        there = set(RUN.findall(searched))
        return any(stands_in(searched, phrase) for phrase in self._phrases if self._parts[phrase] <= there)


def folded(text: str) -> str:
    """Text in which case, width and the kind of white space make no difference, and nothing is unseen."""
    text = normalize("NFKC", text.translate(UNSEEN))
    for _ in range(2):  # what is folded once may fold once more when it is composed
        text = normalize("NFKC", text.casefold())
    return " ".join(text.split())


def stands_in(text: str, phrase: str) -> bool:
    """Whether a phrase is in a text as whole words."""
    start = text.find(phrase)
    while start >= 0:
        end = start + len(phrase)
        before, after = text[start - 1 : start], text[end : end + 1]
        if not (joins(before, phrase[0]) or joins(phrase[-1], after)):
            return True
        start = text.find(phrase, start + 1)
    return False


def joins(one: str, other: str) -> bool:
    """Whether two neighbours are of the same word: an accent belongs to what it stands on."""
    return in_word(one) and in_word(other)


def in_word(letter: str) -> bool:
    """Whether a character is of a word that a space would end; none at all is not."""
    return bool(RUN.match(letter)) or (letter != "" and category(letter).startswith("M"))


class Nobody:
    """Stands where nobody was found to look."""

    async def check(self, text: str, images: Sequence[Image] = ()) -> Verdict:
        """Say so."""
        del text, images
        raise TellOperatorError("there is nobody to look at questions")


class Moderating:
    """Has things looked at as the operator decided, and notes what was found."""

    def __init__(
        self,
        clock: Clock,
        screening: Screening = NO_SCREENING,
        outside: Moderator | None = None,
    ) -> None:
        """`outside` looks where the operator wants no list of words."""
        self._clock = clock
        self.refit(screening, outside)

    def refit(self, screening: Screening, outside: Moderator | None = None) -> None:
        """Look like this from now on."""
        self._screening = screening
        listed = WordList(screening.words) if screening.check is Screen.WORDS else None
        self._moderator: Moderator = listed or outside or Nobody()

    def inspection(self, turn: TurnId, question: Message) -> Inspection | None:
        """A look at a question, to be taken; None where nothing is looked at."""
        if self._screening.check is Screen.OFF:
            return None
        return Inspection(self, self._unchecked(About.QUESTION, turn), question)

    async def objection(
        self, store: Store, about: About, text: str, account: AccountId | None = None
    ) -> FailureReason | None:
        """Look at what will go along with questions, before it is kept; what is wrong with it, if anything.

        Of one account only so often a minute: beyond that nothing is looked at, and nothing taken.
        """
        if self._screening.check is Screen.OFF or not text.strip():
            return None
        before = self._unchecked(about, uuid4().hex)
        if not await store.transact(lambda tx: begun(tx, before, account)):
            return FailureReason.UNCHECKED
        look = await self.look(before, text)
        await store.transact(lambda tx: note(tx, look, account=account))
        return look.refused

    async def look(self, before: Looked, text: str, images: Sequence[Image] = ()) -> Look:
        """Look once, and tell the log."""
        look = await self._found(before, text, images)
        told(look)
        return look

    async def _found(self, before: Looked, text: str, images: Sequence[Image]) -> Look:
        try:
            verdict = await self._moderator.check(text, images)
        except OutsideError as error:
            why, _, _ = str(error).partition(":")  # a vendor's words follow, which may repeat a member's
            broken = why if isinstance(error, TellOperatorError) else ""
            away = isinstance(error, TryAgainError | TellOperatorError)
            goes_on = away and self._screening.when_away is WhenAway.ANSWER
            return Look(before, None if goes_on else FailureReason.UNCHECKED, why, broken)
        if verdict.flagged:
            found = replace(before, finding=Finding.FLAGGED, categories=verdict.categories)
            return Look(found, FailureReason.MODERATED)
        return Look(replace(before, finding=Finding.PASSED))

    def _unchecked(self, about: About, name: str) -> Looked:
        return Looked(name, about, self._screening.check, Finding.UNCHECKED, self._clock.now())


@dataclass(frozen=True, slots=True)
class Look:
    """What was found, and why it does not go on, if it does not."""

    looked: Looked
    refused: FailureReason | None = None
    why: str = ""
    """It could not be looked at."""
    broken: str = ""
    """The same, where only the operator can mend it."""


class Inspection:
    """The one look at a question, however many models it is for."""

    def __init__(self, moderating: Moderating, before: Looked, question: Message) -> None:
        self._moderating = moderating
        self._before = before
        self._question = question
        self._looking = asyncio.Lock()
        self._look: Look | None = None

    async def __call__(self) -> FailureReason | None:
        """Why the question goes to no model, if it does not. Cancelled, it leaves the look to the next."""
        async with self._looking:
            if self._look is None:
                question = self._question
                self._look = await self._moderating.look(self._before, question.text, question.images)
        return self._look.refused

    def note(self, tx: Tx) -> None:
        """Write down what was found, if it came to that."""
        if self._look:
            note(tx, self._look, turn=TurnId(self._before.id))


def begun(tx: Tx, before: Looked, account: AccountId | None) -> bool:
    """Note that something is being looked at; False if that was so often enough in the last minute."""
    if account:
        tx.lock_account_id(account)
        if tx.looks_of(account, before.at - A_MINUTE) >= SETTINGS_A_MINUTE:
            return False
    tx.note_look(before, account=account)
    return True


def note(tx: Tx, look: Look, *, account: AccountId | None = None, turn: TurnId | None = None) -> None:
    """Write down what was found, and owe the operator what only they can mend, once a day."""
    tx.note_look(look.looked, account=account, turn=turn)
    if look.broken:
        at = look.looked.at
        key = f"moderation:{at:%Y-%m-%d}"
        tx.raise_alert(Alert(key, AlertKind.VENDOR_BROKEN, "moderation", at, look.broken))


def told(look: Look) -> None:
    """Tell the log, in nobody's words."""
    found = look.looked
    extra = {"id": found.id, "about": found.about.value, "check": found.check.value}
    if look.why:
        log.warning("not looked at", extra={**extra, "why": look.why})
    else:
        categories = ",".join(found.categories)
        log.info("looked at", extra={**extra, "finding": found.finding.value, "categories": categories})
