"""Recorded questions asked again under a draft's rules: what would become of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache

from engine import limits, pricing
from engine.budget import NO_CEILINGS
from engine.domain import AccountId, ConversationId, Micros, Refusal, RefusalReason, Scope, Tier, TierName
from engine.hindsight import Books, Effects, Life, Meter, Month, Rules, Side, Swap
from engine.limits import Case
from engine.means import Room, closed
from engine.models import NO_USAGE, ModelClass, ModelSpec, Price, Usage
from engine.overage import month_start
from engine.recorded import Recorded
from engine.spending import BOT, FREE, vendor
from engine.turns import Charge, TurnState

Turns = Sequence[Sequence[Recorded]]
"""The turns of one question, more than one for a comparison, each with its requests."""


@dataclass(slots=True)
class Question:
    """A question: its turns, the tier that its member had, and the month of who pays, on both sides."""

    first: Recorded
    turns: Turns
    tiers: tuple[Tier, Tier]
    """As it is today, and in the draft."""
    months: tuple[Month, Month]
    told: bool


Chosen = tuple[ModelSpec, Swap | None]
"""The model that answers a turn, and why it is not the recorded one."""


class Replay:
    """Goes through recorded use in the order in which it was asked, under today's rules and a draft's.

    Today's side is what was recorded. What began before `since` prepares the counts and is not told.
    """

    def __init__(
        self, today: Rules, draft: Rules, meters: Mapping[AccountId, Meter], since: datetime
    ) -> None:
        self._begin, self._since = month_start(since), since
        self._books = (Books(replace(today, ceilings=NO_CEILINGS), meters), Books(draft, meters))
        self._catalogue = draft.catalogue
        self._lives: defaultdict[AccountId, Life] = defaultdict(Life)
        self._turns: dict[ConversationId, int] = {}
        self._stand_in, self._unchanged = cache(self._find_stand_in), cache(self._is_unchanged)
        self.today, self.draft, self.effects = Side(), Side(), Effects()

    def take_all(self, moments: Iterable[Sequence[Recorded]]) -> None:
        """Go through the requests of one moment after the other."""
        for rows in moments:
            self.take(rows)

    def take(self, rows: Sequence[Recorded]) -> None:
        """Go through all requests of one moment."""
        for question in grouped(rows, question_of):
            if question[0].account is None:
                self._nameless(question)
            else:
                self._question(question, question[0].account)

    def _question(self, rows: Sequence[Recorded], account: AccountId) -> None:
        first, (today, draft) = rows[0], self._books
        name = first.tier or TierName.FREE
        tiers = today.rules.catalogue.tier(name), self._catalogue.tier(name)
        months = today.month(first), draft.month(first)
        turns = grouped(rows, turn_of)
        question = Question(first, turns, tiers, months, told=first.began_at >= self._since)
        outcome = self._decide(question, account)
        if not isinstance(outcome, Refusal):
            self._answer(question, outcome)
            self._count(question, account)
        elif question.told:
            self.effects.blocked[outcome.reason][account] += 1
        held = sum([turn[0].held for turn in turns])
        for turn in turns:
            self._spend(0, question, turn, [row.charge for row in turn], held)

    def _nameless(self, rows: Sequence[Recorded]) -> None:
        """What the operator pays alone, and what is kept of somebody who was erased: a tier and a charge."""
        for row in rows:
            priced = self._priced(self._stand_in(row.tier, row.charge.model)[0], row.charge)
            for books, side, charge in zip(
                self._books, (self.today, self.draft), (row.charge, priced), strict=True
            ):
                books.count(row.purse, row.began_at, [charge])
                if row.began_at >= self._since:
                    side.add(row.tier, None, [charge])

    def _decide(self, question: Question, account: AccountId) -> Sequence[Chosen] | Refusal:
        """The models that answer a question and why not the recorded ones, or what it is refused by."""
        tier, begins, chosen, spent = question.tiers[1], len(question.turns), list[Chosen](), 0
        for turn in question.turns:
            spec, swap = self._stand_in(tier.name, turn[0].asked)
            if spec is None:
                return Refusal(RefusalReason.MODEL_LOCKED, tier.name, model=turn[0].asked)
            case = self._case(question, account, spec, spent)
            if tier.compare is not None and begins > max(1, tier.compare):
                return limits.refuse(case, self._catalogue, RefusalReason.COMPARE, tier.compare)
            found = limits.judge(case, self._catalogue) or self._afforded(question, case, turn, spent)
            if isinstance(found, Refusal):
                return found
            chosen.append((found, swap if found is spec else Swap.CEILING))
            spent += self._need(found, turn)
        return chosen

    def _case(self, question: Question, account: AccountId, spec: ModelSpec, spent: int) -> Case:
        """The question before the limits, by what the draft's member has used.

        What was begun on a credit may be again; what was never answered counts for no day.
        """
        first, tier, month = question.first, question.tiers[1], question.months[1]
        given = sum([turn[0].on_credit or lost(turn[0]) for turn in question.turns])
        return Case(
            tier,
            spec,
            self._lives[account].facts(first.began_at, month.cost + spent),
            self._live(first),
            first.began_at,
            self._books[1].allowance(tier, first, month),
            begins=len(question.turns),
            paid=Micros(month.metered),
            credits=given or None,
        )

    def _live(self, row: Recorded) -> int:
        """Turns that a conversation has already: one at least if it began before all of this."""
        if row.conversation is None:
            return 1
        known = self._turns.get(row.conversation)
        if known is None:
            return int(row.opened_at is not None and row.opened_at < self._begin)
        return known

    def _afforded(
        self, question: Question, case: Case, turn: Sequence[Recorded], spent: int
    ) -> ModelSpec | Refusal:
        """The recorded model, or the first cheaper one, that member and house have the means for."""
        room, spec = self._books[1].room(case.tier, case.now), case.spec
        if was_stepped(question, turn[0]):
            case = replace(case, spec=dearer(spec))
        short, own = dict[Scope, Micros](), False
        for option in self._options(case, spec):
            if own and option.klass is not ModelClass.EVERYDAY and not case.by_class:
                continue
            need = self._need(option, turn)
            if not case.affords(option.klass, need):
                own = True
                continue
            if not (short := room.lacking(needs(room, option, Micros(need + spent)))):
                return option
        return closed(room, case, self._catalogue, short)

    def _options(self, case: Case, spec: ModelSpec) -> Iterator[ModelSpec]:
        """The model, others of its class, and those of each class below."""
        yield spec
        allowed = self._catalogue.allowed(case.tier)
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
        before, after = self._books[0].rules.catalogue.find(asked), self._catalogue.find(answers)
        if before is None or after is None:
            return False
        return before.name == after.name and terms(before) == terms(after)

    def _find_stand_in(self, tier: TierName | None, name: str) -> tuple[ModelSpec | None, Swap | None]:
        """The draft's model of that name, or what answers in its place: a fallback, its like, the default."""
        catalogue = self._catalogue
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

    def _answer(self, question: Question, chosen: Sequence[Chosen]) -> None:
        """Count the turns of the draft, and what is other about them."""
        held = sum([self._need(spec, turn) for turn, (spec, _) in zip(question.turns, chosen, strict=True)])
        for turn, (spec, swap) in zip(question.turns, chosen, strict=True):
            first = turn[0]
            charges = [self._priced(self._answering(question, row, spec, swap), row.charge) for row in turn]
            if question.told and swap:
                self.effects.swaps[first.asked, spec.name, swap] += 1
                if swap is Swap.CEILING and first.account:
                    self.effects.stepped[first.account] += 1
            self._spend(1, question, turn, charges, held)

    def _answering(
        self, question: Question, row: Recorded, spec: ModelSpec, swap: Swap | None
    ) -> ModelSpec | None:
        """The draft's model for a request: the one that answers, or what stands for one that was tried."""
        if swap or row.charge.model == row.asked:
            return spec
        return self._stand_in(question.tiers[1].name, row.charge.model)[0]

    def _priced(self, spec: ModelSpec | None, charge: Charge) -> Charge:
        """The same tokens at the draft's price.

        What the draft leaves as it is stays as it was recorded, and so does what was only guessed, for a
        lost turn.
        """
        if spec is None or self._unchanged(charge.model, spec.name) or guessed(charge.usage):
            return charge
        return Charge(spec.name, spec.provider, charge.usage, pricing.cost(spec.price, charge.usage))

    def _spend(
        self, number: int, question: Question, turn: Sequence[Recorded], charges: Sequence[Charge], held: int
    ) -> None:
        """Count a turn on one side: today's is 0, the draft's 1."""
        first, month = turn[0], question.months[number]
        metered = self._books[number].spend(question.tiers[number], first, month, charges, held)
        if question.told:
            name = first.tier or TierName.FREE
            whole = (self.today, self.draft)[number].add(name, first.account, charges)
            whole.turns += not lost(first)
            whole.metered += metered

    def _count(self, question: Question, account: AccountId) -> None:
        """Let what was answered count against later limits; what is begun on credits does not.

        What its member stopped, or moderation refused, counts for the rate alone.
        """
        life, at = self._lives[account], question.first.began_at
        limit = question.tiers[1].conversations_per_day
        within = None if limit is None else max(0, limit - life.today(at))
        begun, asked = 0, False
        for place, (row, *_) in enumerate(question.turns):
            asked |= row.ended or not lost(row)
            if lost(row):
                continue
            live = self._live(row)
            begun += live == 0 and (within is None or place < within)
            if row.conversation:
                self._turns[row.conversation] = live + 1
        if asked:
            life.asked(at, begun)


def was_stepped(question: Question, row: Recorded) -> bool:
    """Whether the recorded model answered instead of a dearer one: the month was above its ceiling."""
    ceiling = question.tiers[0].cost_ceiling_month
    above = ceiling is not None and question.months[0].cost + row.held > ceiling
    return above and question.tiers[0].name is not TierName.FREE


def lost(row: Recorded) -> bool:
    """Whether a turn was never answered."""
    return row.state is TurnState.RELEASED


def grouped(rows: Sequence[Recorded], key: Callable[[Recorded], str]) -> Turns:
    """Requests that belong together, in the order of their first ones."""
    if len(rows) == 1:
        return (rows,)
    found: dict[str, list[Recorded]] = {}
    for row in rows:
        found.setdefault(key(row), []).append(row)
    return list(found.values())


def question_of(row: Recorded) -> str:
    """The question of a request: all of a comparison are one."""
    return row.batch or turn_of(row)


def turn_of(row: Recorded) -> str:
    """The turn of a request, or itself alone."""
    return row.turn or str(row.number)


def needs(room: Room, spec: ModelSpec, need: Micros) -> Mapping[Scope, Micros]:
    """What an answer would take of the scopes that have a ceiling."""
    if not room.ceilings:
        return {}
    return {scope: need for scope in (BOT, FREE, vendor(spec.provider)) if scope in room.ceilings}


def terms(spec: ModelSpec) -> tuple[Price | None, int, str]:
    """What an answer of a model may cost, and whose it is."""
    return spec.price, spec.max_output, spec.provider


def dearer(spec: ModelSpec) -> ModelSpec:
    """A stand-in for the dearer model that was asked for."""
    classes = list(ModelClass)
    return replace(spec, klass=classes[min(limits.step(spec.klass) + 1, len(classes) - 1)])


def guessed(usage: Usage) -> bool:
    """Whether no vendor has told these tokens, and nobody has estimated them."""
    return not (usage.input_tokens or usage.output_tokens) and replace(usage, estimated=False) == NO_USAGE
