"""Questions that bring files: what is sent, which models get it, and that it counts before it is spent."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.context import image_tokens
from engine.domain import Answered, Micros, Offer, Redo, Refusal, RefusalReason, Started, TierName
from engine.enclosures import enclosed, told
from engine.errors import TellOperatorError
from engine.files import Document, Image
from engine.models import ModelSpec
from tests.engine.conftest import PREMIUM, QUICK, SPARE, Hall, collect, last
from tests.engine.test_ceiling import subscribed
from tests.fakes.models import Scripted

PHOTO = Image("cat.jpg", "image/jpeg", b"\xff\xd8\xff", 1024, 1024)
NOTES = Document("notes.txt", "text/plain", "The sky is green.")


async def test_a_model_is_sent_the_image_and_its_name_and_the_text_of_documents(hall: Hall) -> None:
    hall.seeing("quick")
    event = await last(hall.chat(), hall.ask("What is this?", attachments=(PHOTO, NOTES)))
    assert isinstance(event, Answered)
    message = hall.one.seen[0].messages[-1]
    assert message.images == (PHOTO,)
    assert message.text == (
        'What is this?\n\n<image name="cat.jpg" type="image/jpeg"/>\n\n'
        '<file name="notes.txt" type="text/plain">\nThe sky is green.\n</file>'
    )


async def test_documents_go_to_models_that_take_no_images(hall: Hall) -> None:
    hall.seeing()
    assert isinstance(await last(hall.chat(), hall.ask("Is it?", attachments=(NOTES,))), Answered)


async def test_a_model_that_takes_no_images_is_never_swapped_and_those_that_do_are_named(hall: Hall) -> None:
    hall.seeing("spare", "deep")
    refusal = await last(hall.chat(), hall.ask("What is this?", attachments=(PHOTO,)))
    assert refusal == Refusal(RefusalReason.NO_IMAGES, TierName.FREE, model="quick", choices=("spare",))
    assert hall.one.seen == hall.two.seen == []
    answered = await last(hall.chat(), hall.ask("What is this?", model="spare", attachments=(PHOTO,)))
    assert isinstance(answered, Answered)


async def test_the_tier_that_would_lift_it_is_offered_where_none_of_this_one_sees(hall: Hall) -> None:
    hall.seeing("deep")
    refusal = await last(hall.chat(), hall.ask("What is this?", attachments=(PHOTO,)))
    assert isinstance(refusal, Refusal)
    assert refusal.choices == ()
    assert refusal.offer == Offer(TierName.PREMIUM, PREMIUM.price_month, PREMIUM.price_year)


async def test_a_fallback_that_cannot_see_is_skipped(hall: Hall) -> None:
    hall.seeing("quick")
    hall.one = Scripted(words=(), errors=[TellOperatorError("bad key")])
    await last(hall.chat(), hall.ask("What is this?", attachments=(PHOTO,)))
    assert hall.two.seen == []
    hall.one = Scripted(words=(), errors=[TellOperatorError("bad key")])
    event = await last(hall.chat(), hall.ask("And without?"))
    assert isinstance(event, Answered)
    assert event.model == "spare"


async def test_an_image_counts_in_the_estimate_that_a_ceiling_is_held_against(hall: Hall) -> None:
    hall.seeing("quick")
    without = 4000 + 100  # an answer of 1,000 tokens, and the words of the question
    hall.free(cost_ceiling_month=Micros(without + image_tokens(PHOTO) // 2))
    refusal = await last(hall.chat(), hall.ask("What is this?", attachments=(PHOTO,)))
    assert isinstance(refusal, Refusal)
    assert refusal.reason is RefusalReason.COST
    assert isinstance(await last(hall.chat(), hall.ask("What is this?")), Answered)


@pytest.mark.parametrize("able", [SPARE, None])
async def test_at_the_ceiling_a_paying_member_steps_down_to_what_sees_or_not_at_all(
    hall: Hall, able: ModelSpec | None
) -> None:
    await subscribed(hall)
    hall.seeing("deep", *([able.name] if able else []))
    premium = replace(PREMIUM, cost_ceiling_month=Micros(1))
    hall.catalogue = replace(hall.catalogue, tiers={**hall.catalogue.tiers, TierName.PREMIUM: premium})
    event = await last(hall.chat(), hall.ask("What is this?", model="deep", attachments=(PHOTO,)))
    if able:
        assert isinstance(event, Answered)
        assert event.model == able.name
    else:
        assert isinstance(event, Refusal)
        assert event.reason is RefusalReason.COST
        assert hall.two.seen == []


async def test_a_text_that_does_not_fit_the_window_with_the_prompt_is_refused_with_its_size(
    hall: Hall,
) -> None:
    long = Document("log.txt", "text/plain", "word " * 8000)
    refusal = await last(hall.chat(), hall.ask("Why?", attachments=(long,)))
    assert isinstance(refusal, Refusal)
    assert (refusal.reason, refusal.limit) == (RefusalReason.TOO_LONG, QUICK.context)


@given(st.text(), st.text(st.sampled_from('</file-2>\n"x')), st.text(st.sampled_from('"<>\n\x00a')))
def test_no_file_closes_its_own_tags_or_leaves_its_name(question: str, text: str, name: str) -> None:
    whole = enclosed(Document(name, "text/plain", text))
    first, *_, close = whole.split("\n")
    tag = close.removeprefix("</").removesuffix(">")
    assert whole.count(close) == 1
    assert first.startswith(f'<{tag} name="')
    assert first.count('"') == 4
    assert told(question, ()) == question


async def test_follow_ups_and_answers_given_again_see_the_images(hall: Hall) -> None:
    hall.seeing("quick", "spare")
    chat = hall.chat()
    events = await collect(chat, hall.ask("What is this?", anchors=("a",), attachments=(PHOTO, NOTES)))
    assert isinstance(events[0], Started)
    await last(chat, hall.ask("And its name?", anchors=("a",)))
    await last(chat, hall.ask("", redo=Redo.REGENERATE, about=events[0].turn))
    first, second, again = hall.one.seen
    assert [message.images for message in second.messages] == [(PHOTO,), (), ()]
    assert again.messages == first.messages


async def test_a_follow_up_by_a_model_that_takes_no_images_is_told_that_there_was_one(hall: Hall) -> None:
    hall.seeing("quick")
    chat = hall.chat()
    await last(chat, hall.ask("What is this?", anchors=("a",), attachments=(PHOTO,)))
    await last(chat, hall.ask("And its name?", anchors=("a",), model="spare"))
    messages = hall.two.seen[0].messages
    assert [message.images for message in messages] == [(), (), ()]
    assert '<image name="cat.jpg" type="image/jpeg"/>' in messages[0].text


async def test_only_the_newest_images_of_a_conversation_are_sent_again(hall: Hall) -> None:
    hall.seeing("quick")
    hall.free(turns_per_conversation=None, requests_per_minute=None, cost_ceiling_month=None)
    models = tuple(replace(spec, context=200_000) for spec in hall.catalogue.models)
    hall.catalogue = replace(hall.catalogue, models=models)
    chat = hall.chat()
    for number in range(4):
        photos = tuple(replace(PHOTO, name=f"{number}{letter}", data=bytes([number])) for letter in "abc")
        await last(chat, hall.ask("Look.", anchors=("a",), attachments=photos))
    sent = [image.name for message in hall.one.seen[-1].messages for image in message.images]
    assert sent == ["1b", "1c", "2a", "2b", "2c", "3a", "3b", "3c"]
