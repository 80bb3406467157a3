"""Images as they are kept with their turns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from engine.context import HISTORY_IMAGES, HISTORY_PDFS, PDF_BYTES
from engine.domain import ConversationId, Micros, TurnId
from engine.files import Image, Pdf
from engine.ledger import Tx
from engine.turns import Hold, Turn
from storage.attachments import newest
from storage.session import Row, Session
from storage.store import Store
from tests.fakes.clock import NOON
from tests.storage.makers import MINUTE, account, conversation, settlement

CAT = Image("cat.png", "image/png", bytes(range(256)), 640, 480)
DOG = Image("dog.jpg", "image/jpeg", b"\xff\xd8\xff", 48, 64)


PAPER = Pdf("paper.pdf", bytes(range(256)), 3, 10, 20)
SCAN = Pdf("scan.pdf", b"%PDF", 1, 30, 30)


def shown(
    tx: Tx,
    name: str,
    images: tuple[Image, ...],
    parent: str | None = None,
    pdfs: tuple[Pdf, ...] = (),
) -> TurnId:
    """A stored hold with images and PDFs."""
    where, until = ConversationId("c"), NOON + MINUTE
    before = TurnId(parent) if parent else None
    tx.hold(
        Hold(
            turn=TurnId(name),
            account=account(tx),
            conversation=where,
            key=name,
            model="demo",
            prompt="",
            estimate=Micros(0),
            owner="process",
            started_at=NOON,
            lease_until=until,
            parent=before,
            images=images,
            pdfs=pdfs,
        )
    )
    return TurnId(name)


async def test_a_turn_has_its_images_back_as_they_were_in_their_order(store: Store) -> None:
    def work(tx: Tx) -> list[Turn | None]:
        conversation(tx)
        return [tx.turn(shown(tx, "seen", (CAT, DOG))), tx.turn(shown(tx, "read", ()))]

    seen, read = await store.transact(work)
    assert seen is not None
    assert read is not None
    assert (seen.images, read.images) == ((CAT, DOG), ())


async def test_a_history_has_the_newest_images_of_its_branch(store: Store) -> None:
    def work(tx: Tx) -> Sequence[tuple[Image, ...]]:
        conversation(tx)
        way = [("a", None, 5), ("b", "a", 0), ("other", "a", 3), ("c", "b", 6)]
        for name, parent, count in way:
            shown(tx, name, (DOG,) * (count - 1) + (CAT,) * min(count, 1), parent)
            tx.settle(TurnId(name), settlement())
        return [exchange.images for exchange in tx.history(TurnId("c"), 10)]

    first, second, third = await store.transact(work)
    assert (first, second, third) == ((DOG, CAT), (), (DOG,) * 5 + (CAT,))
    assert len(first) + len(third) == HISTORY_IMAGES


async def test_a_turn_has_its_pdfs_back_as_they_were_and_a_history_the_newest(store: Store) -> None:
    def work(tx: Tx) -> tuple[Turn | None, Sequence[tuple[Pdf, ...]]]:
        conversation(tx)
        way = [("a", None, (SCAN,) * 4), ("b", "a", ()), ("c", "b", (PAPER, SCAN))]
        for name, parent, pdfs in way:
            shown(tx, name, (CAT,), parent, pdfs)
            tx.settle(TurnId(name), settlement())
        return tx.turn(TurnId("c")), [each.pdfs for each in tx.history(TurnId("c"), 10)]

    turn, (first, second, third) = await store.transact(work)
    assert turn is not None
    assert (turn.images, turn.pdfs) == ((CAT,), (PAPER, SCAN))
    assert (first, second, third) == ((SCAN,) * 2, (), (PAPER, SCAN))
    assert len(first) + len(third) == HISTORY_PDFS


async def test_a_history_reads_no_more_pdfs_than_a_request_has_room_for(store: Store) -> None:
    heavy = Pdf("heavy.pdf", bytes(PDF_BYTES // 2), 1, 0, 0)

    def work(tx: Tx) -> list[int]:
        conversation(tx)
        for name, parent in (("a", None), ("b", "a"), ("c", "b")):
            shown(tx, name, (), parent, (heavy,))
            tx.settle(TurnId(name), settlement())
        return [len(each.pdfs) for each in tx.history(TurnId("c"), 10)]

    assert await store.transact(work) == [0, 1, 1]


def test_a_history_without_images_asks_the_database_for_none() -> None:
    rows: list[Mapping[str, object]] = [{"id": f"{number}", "images": 0} for number in range(200)]
    nobody = cast("Session", None)
    assert newest(nobody, cast("Sequence[Row]", rows), HISTORY_IMAGES) == {}
