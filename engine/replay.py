"""Recorded questions asked again under a draft's rules: what would become of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache

from engine import limits, pricing
from engine.catalogue import Catalogue
from engine.domain import AccountId, ConversationId, Micros, Refusal, RefusalReason, Scope, Tier, TierName
from engine.hindsight import Books, Effects, Life, Meter, Rules, Side, Swap
from engine.limits import Case
from engine.means import Room, closed
from engine.models import NO_USAGE, ModelClass, ModelSpec, Price, Usage
from engine.overage import month_start
from engine.recorded import Recorded
from engine.spending import BOT, FREE, vendor
from engine.turns import Charge, TurnState

UNTOLD = (NO_USAGE, replace(NO_USAGE, estimated=True))
Turns = Sequence[Sequence[Recorded]]
"""The turns of one question, more than one for a comparison, each with its requests."""


class Replay:
    """Goes through recorded use in the order in which it was asked, under today's rules and a draft's.

    Today's side is what was recorded. What began before `since` prepares the counts and is not told.
    """

    def __init__(
        self, today: Rules, draft: Rules, meters: Mapping[AccountId, Meter], since: datetime
    ) -> None:
        self._begin, self._since = month_start(since), since
        self._books = (Books(today, meters), Books(draft, meters))
        self._lives: defaultdict[AccountId, Life] = defaultdict(Life)
        self._turns: dict[ConversationId, int] = {}
        self._stand_in, self._unchanged = cache(self._find_stand_in), cache(self._is_unchanged)
        self.today, self.draft, self.effects = Side(), Side(), Effects()

    def take_all(self, moments: Iterable[Iterable[Recorded]]) -> None:
        """Go through the requests of one moment after the other."""
        for rows in moments:
            self.take(rows)

    def take(self, rows: Iterable[Recorded]) -> None:
        """Go through all requests of one moment."""
        questions: dict[str, list[Recorded]] = {}
        for row in rows:
            questions.setdefault(row.batch or row.turn or str(row.number), []).append(row)
        for question in questions.values():
            self._question(question)

    def _question(self, rows: Sequence[Recorded]) -> None:
        first, turns = rows[0], grouped(rows)
        told = first.began_at >= self._since
        if first.account is None:
            self._house(rows, told=told)
            return
        outcome = self._decide(first, first.account, turns)
        name = first.tier or TierName.FREE
        if isinstance(outcome, Refusal):
            if told:
                self.effects.blocked[outcome.reason][first.account] += 1
        else:
            held = sum(self._need(spec, turn) for turn, (spec, _) in zip(turns, outcome, strict=True))
            for turn, (spec, swap) in zip(turns, outcome, strict=True):
                self._answer(turn, spec, swap, held, told=told)
            self._count(first, first.account, turns)
        held = sum(turn[0].held for turn in turns)
        for turn in turns:
            self._spend(0, turn, name, [row.charge for row in turn], held, told=told)

    def _house(self, rows: Sequence[Recorded], *, told: bool) -> None:
        """What the operator pays alone."""
        for row in rows:
            spec = self._stand_in(None, row.charge.model)[0]
            self._spend(0, [row], None, [row.charge], 0, told=told)
            self._spend(1, [row], None, [self._priced(spec, row.charge)], 0, told=told)

    def _decide(
        self, first: Recorded, account: AccountId, turns: Turns
    ) -> Sequence[tuple[ModelSpec, Swap | None]] | Refusal:
        """The models that answer a question and why not the recorded ones, or what it is refused by."""
        catalogue = self._books[1].rules.catalogue
        tier = catalogue.tier(first.tier or TierName.FREE)
        chosen: list[tuple[ModelSpec, Swap | None]] = []
        spent = 0
        for turn in turns:
            spec, swap = self._stand_in(tier.name, turn[0].asked)
            if spec is None:
                return Refusal(RefusalReason.MODEL_LOCKED, tier.name, model=turn[0].asked)
            case = self._case(turns, account, tier, spec, spent)
            refusal = self._limited(case, catalogue)
            found = refusal or self._afforded(case, turn, spec, spent)
            if isinstance(found, Refusal):
                return found
            chosen.append((found, swap if found == spec else Swap.CEILING))
            spent += self._need(found, turn)
        return chosen

    def _limited(self, case: Case, catalogue: Catalogue) -> Refusal | None:
        if case.begins > 1 and case.tier.compare is not None and case.begins > case.tier.compare:
            return limits.refuse(case, catalogue, RefusalReason.COMPARE, case.tier.compare)
        return limits.judge(case, catalogue)

    def _case(self, turns: Turns, account: AccountId, tier: Tier, spec: ModelSpec, spent: int) -> Case:
        """The question before the limits, by what the draft's member has used.

        What was begun on a credit may be again; what was never answered counts for no day.
        """
        first, books, begins = turns[0][0], self._books[1], len(turns)
        at, given = first.began_at, sum(turn[0].on_credit or lost(turn[0]) for turn in turns)
        month = books.month(first)
        facts = self._lives[account].facts(at, month.cost + spent)
        live = self._live(first)
        allowance = books.allowance(tier, first)
        paid = Micros(month.metered)
        return Case(tier, spec, facts, live, at, allowance, begins=begins, paid=paid, credits=given or None)

    def _live(self, row: Recorded) -> int:
        """Turns that a conversation has already: one at least if it began before all of this."""
        if row.conversation is None:
            return 1
        earlier = row.opened_at is not None and row.opened_at < self._begin
        return self._turns.get(row.conversation, int(earlier))

    def _was_stepped(self, row: Recorded) -> bool:
        """Whether the recorded model answered instead of a dearer one: the month was above its ceiling."""
        books = self._books[0]
        tier = books.rules.catalogue.tier(row.tier or TierName.FREE)
        ceiling = tier.cost_ceiling_month
        free = tier.name is TierName.FREE
        return not free and ceiling is not None and books.month(row).cost + row.held > ceiling

    def _afforded(
        self, case: Case, turn: Sequence[Recorded], spec: ModelSpec, spent: int
    ) -> ModelSpec | Refusal:
        """The recorded model, or the first cheaper one, that member and house have the means for."""
        room = self._books[1].room(case.tier, case.now)
        if self._was_stepped(turn[0]):
            case = replace(case, spec=dearer(spec))
        catalogue, short, own = self._books[1].rules.catalogue, dict[Scope, Micros](), False
        for option in self._options(case, spec):
            if own and option.klass is not ModelClass.EVERYDAY and not case.by_class:
                continue
            need = self._need(option, turn)
            if not case.affords(option.klass, need):
                own = True
                continue
            if not (short := room.lacking(needs(room, option, Micros(need + spent)))):
                return option
        return closed(room, case, catalogue, short)

    def _options(self, case: Case, spec: ModelSpec) -> Iterator[ModelSpec]:
        """The model, others of its class, and those of each class below."""
        yield spec
        allowed = self._books[1].rules.catalogue.allowed(case.tier)
        for klass in (spec.klass, *limits.below(spec.klass)):
            yield from (each for each in allowed if each.klass is klass and each != spec)

    def _need(self, spec: ModelSpec, turn: Sequence[Recorded]) -> Micros:
        """What is held for an answer: as it was recorded, unless another model or price makes it another."""
        if self._unchanged(turn[0].asked, spec.name):
            return turn[0].held
        read = max(row.charge.usage.input_tokens for row in turn)
        return Micros(pricing.most(spec, read, spec.max_output) + pricing.most(spec, read, 0))

    def _is_unchanged(self, asked: str, answers: str) -> bool:
        """Whether the model that answers is the one that was asked, on the same terms."""
        today, draft = (books.rules.catalogue for books in self._books)
        before, after = today.find(asked), draft.find(answers)
        if before is None or after is None:
            return False
        return before.name == after.name and terms(before) == terms(after)

    def _find_stand_in(self, tier: TierName | None, name: str) -> tuple[ModelSpec | None, Swap | None]:
        """The draft's model of that name, or what answers in its place: a fallback, its like, the default."""
        catalogue = self._books[1].rules.catalogue
        spec = catalogue.find(name)
        able = catalogue.models if tier is None else catalogue.allowed(catalogue.tier(tier))
        if spec in able:
            return spec, None
        swap = Swap.LOCKED if spec else Swap.GONE
        known = spec or self._books[0].rules.catalogue.find(name)
        named = (catalogue.find(each) for each in (known.fallback if known else ()))
        fallbacks = (each for each in named if each and each in able)
        alike = (each for each in able if known and each.klass is known.klass)
        return next((each for group in (fallbacks, alike, able) for each in group), None), swap

    def _answer(
        self, turn: Sequence[Recorded], spec: ModelSpec, swap: Swap | None, held: int, *, told: bool
    ) -> None:
        """Count a turn of the draft, and what is other about it."""
        first, catalogue = turn[0], self._books[1].rules.catalogue
        name = first.tier or TierName.FREE
        tier = catalogue.tier(name)
        charges = []
        for row in turn:
            same = swap or row.charge.model == first.asked
            own = spec if same else self._stand_in(tier.name, row.charge.model)[0]
            charges.append(self._priced(own, row.charge))
        if told and swap:
            self.effects.swaps[first.asked, spec.name, swap] += 1
            if swap is Swap.CEILING and first.account:
                self.effects.stepped[first.account] += 1
        self._spend(1, turn, name, charges, held, told=told)

    def _priced(self, spec: ModelSpec | None, charge: Charge) -> Charge:
        """The same tokens at the draft's price; what was only guessed, for a lost turn, stays as it is."""
        if spec is None or guessed(charge.usage):
            return charge
        return Charge(spec.name, spec.provider, charge.usage, pricing.cost(spec.price, charge.usage))

    def _spend(
        self,
        number: int,
        turn: Sequence[Recorded],
        name: TierName | None,
        charges: Sequence[Charge],
        held: int,
        *,
        told: bool,
    ) -> None:
        """Count a turn on one side: today's is 0, the draft's 1."""
        books, side, first = self._books[number], (self.today, self.draft)[number], turn[0]
        tier = books.rules.catalogue.tier(name) if name else None
        metered = books.spend(tier, first, charges, held)
        if not told:
            return
        for charge in charges:
            side.add(name, first.account, charge)
        side.tiers[name].turns += name is not None and not lost(first)
        side.tiers[name].metered += metered

    def _count(self, first: Recorded, account: AccountId, turns: Turns) -> None:
        """Let what was answered count against later limits; what is begun on credits does not."""
        life, at = self._lives[account], first.began_at
        limit = self._books[1].rules.catalogue.tier(first.tier or TierName.FREE).conversations_per_day
        within = len(turns) if limit is None else max(0, limit - life.today(at))
        begun = sum(self._live(turn[0]) == 0 and not lost(turn[0]) for turn in turns[:within])
        settled = [turn[0] for turn in turns if not lost(turn[0])]
        for row in settled:
            if row.conversation:
                self._turns[row.conversation] = self._live(row) + 1
        if settled:
            life.asked(at, begun)


def lost(row: Recorded) -> bool:
    """Whether a turn was never answered."""
    return row.state is TurnState.RELEASED


def grouped(rows: Sequence[Recorded]) -> Turns:
    """The requests of a question by turn."""
    turns: dict[str, list[Recorded]] = {}
    for row in rows:
        turns.setdefault(row.turn or str(row.number), []).append(row)
    return list(turns.values())


def needs(room: Room, spec: ModelSpec, need: Micros) -> Mapping[Scope, Micros]:
    """What an answer would take of the scopes that have a ceiling."""
    return {scope: need for scope in (BOT, FREE, vendor(spec.provider)) if scope in room.ceilings}


def terms(spec: ModelSpec) -> tuple[Price | None, int]:
    """What an answer of a model may cost."""
    return spec.price, spec.max_output


def dearer(spec: ModelSpec) -> ModelSpec:
    """A stand-in for the dearer model that was asked for."""
    classes = list(ModelClass)
    return replace(spec, klass=classes[min(limits.step(spec.klass) + 1, len(classes) - 1)])


def guessed(usage: Usage) -> bool:
    """Whether no vendor has told these tokens, and nobody has estimated them."""
    return usage in UNTOLD
