"""A replay of rows that are laid before it: what is rare in stories, and what was kept of the erased."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from engine.budget import Ceilings
from engine.domain import AccountId, ConversationId, Micros, RefusalReason, Scope, TierName, TurnId
from engine.facts import Mode
from engine.hindsight import Meter, Rules, Side, Swap
from engine.models import NO_USAGE, ModelClass, ModelSpec, Price, Usage
from engine.overage import month_start
from engine.recorded import Recorded
from engine.replay import Replay
from engine.spending import Purpose, seat
from engine.terms import Metering
from engine.turns import Charge, TurnState
from engine.what_if import as_billed
from tests.engine.conftest import CATALOGUE, DEEP, FREE, PREMIUM, QUICK, SPARE
from tests.engine.test_metering import subscription
from tests.engine.test_replay import BEST, DAVE, PRO
from tests.engine.test_what_if import drafted
from tests.fakes.clock import NOON

ALICE, BOB = AccountId("alice"), AccountId("bob")
TODAY = Rules(CATALOGUE)
USED = Usage(1000, 0, 100)


def row(number: int, model: str = "quick", cost: int = 1400, usage: Usage = USED, **more: object) -> Recorded:
    """A turn of Alice, on free, with one request, a minute after the one before it."""
    charge = Charge(model, "one", usage, Micros(cost))
    usual = Recorded(
        number,
        TurnId(f"turn-{number}"),
        ALICE,
        TierName.FREE,
        None,
        Purpose.ANSWER,
        charge,
        NOON + timedelta(minutes=2 * number),
        ConversationId(f"talk-{number}"),
        NOON,
        None,
        TurnState.SETTLED,
        model,
    )
    return replace(usual, **more)  # type: ignore[arg-type]


def gone_through(
    rows: Sequence[Recorded], draft: Rules, today: Rules = TODAY, meter: Meter | None = None
) -> Replay:
    """The rows, those of a moment together."""
    replay = Replay(today, draft, {ALICE: meter} if meter else {}, month_start(NOON))
    moments = dict.fromkeys(each.began_at for each in rows)
    replay.take_all([each for each in rows if each.began_at == at] for at in moments)
    return replay


def blocked(replay: Replay) -> dict[RefusalReason, int]:
    return {reason: counts.total() for reason, counts in replay.effects.blocked.items()}


def priced(spec: ModelSpec, output: int) -> ModelSpec:
    return replace(spec, price=Price(1_000_000, 100_000, output))


def models(*specs: ModelSpec) -> Rules:
    return Rules(replace(CATALOGUE, models=specs))


def test_what_is_kept_of_the_erased_is_cost_of_their_tier_at_the_draft_s_prices() -> None:
    erased = row(1, turn=None, account=None, conversation=None, state=None, tier=TierName.PREMIUM)
    house = row(2, turn=None, account=None, conversation=None, state=None, tier=None)
    replay = gone_through([erased, house], models(priced(QUICK, 8_000_000), SPARE, DEEP))
    for side, cost in ((replay.today, 1400), (replay.draft, 1800)):
        for tier in (TierName.PREMIUM, None):
            found = side.tiers[tier]
            assert (found.cost, found.requests, found.turns, found.members) == (cost, 1, 0, set())


def test_what_the_draft_leaves_as_it_is_costs_what_was_recorded_whatever_prices_are_now() -> None:
    replay = gone_through(
        [row(1, cost=1), row(2, "spare", cost=1)], models(QUICK, priced(SPARE, 9_000_000), DEEP)
    )
    assert (replay.draft.models["quick"].cost, replay.draft.models["spare"].cost) == (1, 1900)


def test_what_was_only_guessed_for_a_lost_turn_is_not_priced_anew() -> None:
    guess = row(1, cost=77, usage=replace(NO_USAGE, estimated=True), state=TurnState.RELEASED)
    assert gone_through([guess], models(priced(QUICK, 9_000_000))).draft.models["quick"].cost == 77


def test_instead_of_a_model_that_is_gone_its_fallback_answers_then_its_like_then_the_first() -> None:
    like, far = replace(QUICK, name="like", fallback=()), replace(SPARE, name="far", fallback=())
    asked = [row(1)]
    for shelf, other in (((like, SPARE), "spare"), ((DEEP, like), "like"), ((far,), "far")):
        assert list(gone_through(asked, models(*shelf)).effects.swaps) == [("quick", other, Swap.GONE)]
    paid = [row(1, "deep", tier=TierName.PREMIUM)]
    strong = replace(DEEP, name="strong")
    assert list(gone_through(paid, models(QUICK, strong)).effects.swaps) == [("deep", "strong", Swap.GONE)]


def test_a_model_that_was_tried_beside_the_one_asked_for_keeps_its_own_price() -> None:
    tried = replace(row(1, "spare", cost=5), asked="quick", turn=TurnId("turn-1"))
    replay = gone_through([tried, replace(row(1), number=2)], TODAY)
    assert {name: each.cost for name, each in replay.draft.models.items()} == {"spare": 5, "quick": 1400}


def test_a_conversation_from_before_or_that_is_not_kept_begins_none_of_the_day() -> None:
    none = drafted(conversations_per_day=0)
    before = row(1, opened_at=month_start(NOON) - timedelta(days=1))
    unknown = row(2, conversation=None, opened_at=None)
    assert blocked(gone_through([before, unknown], none)) == {}
    assert blocked(gone_through([row(3)], none)) == {RefusalReason.CONVERSATIONS: 1}


@pytest.mark.parametrize(("compare", "times"), [(1, 1), (2, 0), (None, 0)])
def test_a_comparison_of_more_models_than_the_draft_has_is_refused_once(
    compare: int | None, times: int
) -> None:
    both = [row(1, batch="b"), replace(row(1, "spare", batch="b"), number=2, turn=TurnId("other"))]
    replay = gone_through(both, drafted(compare=compare))
    assert blocked(replay) == ({RefusalReason.COMPARE: 1} if times else {})
    assert gone_through([row(1)], drafted(compare=0)).effects.blocked == {}


def test_the_models_of_a_comparison_have_to_fit_a_month_together() -> None:
    both = [row(1, batch="b"), replace(row(1, "spare", batch="b"), number=2, turn=TurnId("other"))]
    held = [replace(each, held=Micros(6000)) for each in both]
    draft = drafted(compare=2, cost_ceiling_month=Micros(11_000))
    assert blocked(gone_through(held, draft)) == {RefusalReason.COST: 1}
    assert blocked(gone_through(held[:1], draft)) == {}


def test_the_models_of_a_comparison_have_to_fit_the_house_together() -> None:
    both = [row(1, batch="b"), replace(row(1, "spare", batch="b"), number=2, turn=TurnId("other"))]
    held = [replace(each, held=Micros(6000)) for each in both]
    draft = replace(drafted(compare=2), ceilings=Ceilings(free_day=Micros(11_000)))
    assert blocked(gone_through(held, draft)) == {RefusalReason.FREE_BUDGET: 1}


@pytest.mark.parametrize(("stop", "other"), [(None, "quick"), (60_000, "deep")])
def test_without_a_stop_everyday_models_follow_at_once_though_a_class_between_would_fit(
    stop: int | None, other: str
) -> None:
    own = replace(
        PREMIUM,
        classes=frozenset(ModelClass),
        cost_ceiling_month=Micros(40_000),
        cost_stop_month=None if stop is None else Micros(stop),
    )
    tiers = {TierName.FREE: FREE, TierName.PREMIUM: own}
    draft = Rules(replace(CATALOGUE, tiers=tiers, models=(QUICK, DEEP, BEST)))
    replay = gone_through([row(1, "best", tier=TierName.PREMIUM, held=Micros(90_000))], draft, draft)
    assert list(replay.effects.swaps) == [("best", other, Swap.CEILING)]


@pytest.mark.parametrize(
    ("read", "times"), [((3000, 1000), 1), ((1000, 3000), 1), ((1000, 1000), 0), ((1000,), 0)]
)
def test_the_largest_reading_of_a_turn_s_requests_is_what_is_held_at_other_prices(
    read: Sequence[int], times: int
) -> None:
    requests = [
        replace(row(1, usage=Usage(tokens, 0, 1)), number=number) for number, tokens in enumerate(read)
    ]
    free = {TierName.FREE: replace(FREE, cost_ceiling_month=Micros(4_000))}
    short = replace(priced(QUICK, 8_000_000), max_output=100)
    draft = Rules(replace(CATALOGUE, tiers=free, models=(short,)))
    assert blocked(gone_through(requests, draft)) == ({RefusalReason.COST: 1} if times else {})


def test_each_month_begins_with_nothing_used() -> None:
    first, *later = (
        row(number, began_at=NOON + timedelta(days=days, minutes=number), held=Micros(1400))
        for number, days in ((1, 0), (2, 32), (3, 32))
    )
    draft = drafted(cost_ceiling_month=Micros(1500))
    assert blocked(gone_through([first, later[0]], draft)) == {}
    assert blocked(gone_through([first, *later], draft)) == {RefusalReason.COST: 1}


def test_the_ceiling_of_free_members_binds_nobody_who_pays() -> None:
    draft = Rules(CATALOGUE, Ceilings(free_day=Micros(1)))
    paid = [row(number, tier=TierName.PREMIUM, held=Micros(1400)) for number in (1, 2)]
    assert blocked(gone_through(paid, draft)) == {}


def test_what_a_seat_uses_counts_for_its_team_and_not_for_free_members_together() -> None:
    purse = Scope(seat("owner", "alice"))
    seated = row(1, purse=purse, held=Micros(1400))
    other = row(2, account=BOB, held=Micros(1400))
    draft = Rules(CATALOGUE, Ceilings(free_day=Micros(2000)))
    assert blocked(gone_through([seated, other], draft)) == {}


SOLD = Rules(
    replace(CATALOGUE, tiers={TierName.FREE: FREE, TierName.PREMIUM: PREMIUM, TierName.PRO: PRO}),
    markup=Decimal(2),
)
DEAR = Usage(99_000, 0, 250)


def used(times: int) -> list[Recorded]:
    """Alice, on pro, uses a tenth of a dollar so many times: three are included."""
    return [
        row(
            number,
            "deep",
            100_000,
            DEAR,
            tier=TierName.PRO,
            held=Micros(100_000),
            conversation=ConversationId("c"),
        )
        for number in range(1, times + 1)
    ]


def meter(*, lasts: bool = False, at: int = 0, **word: object) -> Meter:
    """Alice's word, and whether the books have use of hers up to her fifth question."""
    usual = Metering(ALICE, Mode.TEST, on=True, cap=Micros(2_000_000), agreed_at=NOON, person=DAVE)
    said = replace(usual, **word)  # type: ignore[arg-type]
    own = replace(subscription(), started_at=NOON + timedelta(minutes=at))
    last = NOON + timedelta(minutes=10)
    return Meter(Mode.TEST, said, [own], {last.year * 12 + last.month: last} if lasts else {})


@pytest.mark.parametrize(
    ("word", "metered", "stepped"),
    [
        (meter(), 200_000, 0),
        (meter(on=False), 0, 2),
        (meter(agreed_at=NOON + timedelta(days=1)), 0, 2),
        (meter(at=9), 100_000, 1),
        (meter(lasts=True, on=False), 200_000, 0),
        (meter(lasts=True, agreed_at=NOON + timedelta(days=1), cap=Micros(0)), 200_000, 0),
    ],
)
def test_a_meter_is_on_while_it_is_agreed_to_and_paid_for_or_the_books_have_use(
    word: Meter, metered: int, stepped: int
) -> None:
    replay = gone_through(used(5), SOLD, SOLD, word)
    assert replay.draft.tiers[TierName.PRO].metered == metered
    assert replay.effects.stepped.total() == stepped


def test_a_markup_of_nothing_and_a_tier_that_is_shared_sell_no_metered_use() -> None:
    shared = {**SOLD.catalogue.tiers, TierName.PRO: replace(PRO, seats=2)}
    for draft in (
        replace(SOLD, markup=Decimal(0)),
        replace(SOLD, catalogue=replace(SOLD.catalogue, tiers=shared)),
    ):
        assert gone_through(used(5), draft, SOLD, meter()).draft.tiers[TierName.PRO].metered == 0


@pytest.mark.parametrize(
    ("billed", "today", "draft", "expected"),
    [(0, 0, 0, (0, 0)), (500, 400, 450, (500, 550)), (100, 400, 50, (100, 0)), (0, 30, 60, (0, 30))],
)
def test_metered_use_of_today_is_that_of_the_bills_and_the_draft_s_differs_by_what_was_found(
    billed: int, today: int, draft: int, expected: tuple[int, int]
) -> None:
    sides = Side(), Side()
    for side, metered in zip(sides, (today, draft), strict=True):
        if metered:
            side.tiers[TierName.PRO].metered = metered
    as_billed(*sides, billed)
    assert tuple(side.tiers[TierName.PRO].metered for side in sides) == expected


def test_at_the_draft_s_price_a_whole_answer_is_held() -> None:
    dear = models(priced(QUICK, 400_000_000)).catalogue
    free = {TierName.FREE: replace(FREE, cost_ceiling_month=Micros(450_000))}
    replay = gone_through([row(1), row(2), row(3)], Rules(replace(dear, tiers=free)))
    assert blocked(replay) == {RefusalReason.COST: 1}
    assert replay.draft.tiers[TierName.FREE].cost == 2 * 41_000
