"""`/erase` on Discord: said in private, done by a button of the one who asked, and not while they pay."""

from __future__ import annotations

from tests.discord.conftest import Stage
from tests.discord.test_changes import bought, member


async def test_what_goes_is_said_first_and_a_press_has_it_erased(stage: Stage) -> None:
    stage.discord.dm("alice", "my secret")
    await stage.told("alice", 1, " today")
    used = stage.discord.slash("alice", "erase")
    asked = await stage.discord.answered(used)
    assert used.private()
    assert "cannot be undone" in asked.text
    assert await stage.hall.store.read(lambda tx: tx.find_account(member(stage)))
    pressed = stage.discord.press("alice", asked, asked.button("Erase everything")["custom_id"])
    assert "Everything about you is erased." in (await stage.discord.answered(pressed)).text
    assert pressed.private()
    assert await stage.hall.store.read(lambda tx: tx.find_account(member(stage))) is None


async def test_another_members_press_erases_nobody(stage: Stage) -> None:
    stage.discord.dm("alice", "my secret")
    await stage.told("alice", 1, " today")
    asked = await stage.discord.answered(stage.discord.slash("alice", "erase"))
    foreign = stage.discord.press("bob", asked, asked.button("Erase everything")["custom_id"])
    await stage.discord.answered(foreign)
    assert await stage.hall.store.read(lambda tx: tx.find_account(member(stage)))


async def test_whoever_pays_is_told_how_to_end_it_and_stays(stage: Stage) -> None:
    await bought(stage)
    used = stage.discord.slash("alice", "erase")
    told = await stage.discord.answered(used)
    assert used.private()
    assert (
        "Your subscription would go on charging you, so nothing was erased. End it with `/cancel`"
        in told.text
    )
    assert await stage.hall.store.read(lambda tx: tx.find_account(member(stage)))
    offer = await stage.discord.answered(stage.discord.slash("alice", "cancel"))
    await stage.discord.answered(stage.discord.press("alice", offer, offer.button("Confirm")["custom_id"]))
    asked = await stage.discord.answered(stage.discord.slash("alice", "erase"))
    assert "What you have paid for until" in asked.text
    pressed = stage.discord.press("alice", asked, asked.button("Erase everything")["custom_id"])
    assert "is erased" in (await stage.discord.answered(pressed)).text
    assert await stage.hall.store.read(lambda tx: tx.find_account(member(stage))) is None
