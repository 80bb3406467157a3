"""Files that come with questions on Discord, over the wire."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import pytest

from engine.files import Image
from tests.discord.conftest import Stage
from tests.engine.conftest import Hall
from tests.fakes import files
from tests.fakes.shelf import File, Manner

CAT = File("cat.png", "image/png", files.image("PNG"))
NOTES = File("notes.txt", "text/plain; charset=utf-8", b"The sky is green.")
BIG = 1_000_001


@pytest.fixture
def hall(hall: Hall) -> Hall:
    """All but one model take images."""
    hall.seeing("quick", "deep")
    return hall


async def test_an_image_without_a_word_is_a_question_about_it(stage: Stage) -> None:
    stage.discord.say("alice", "general", "", mention_bot=True, files=[CAT])
    await stage.shown()
    message = stage.model.seen[0].messages[-1]
    assert message.text == 'What is this?\n\n<image name="cat.png" type="image/png"/>'
    assert [(image.name, image.width, image.height) for image in message.images] == [("cat.png", 64, 48)]


async def test_files_come_with_dms_commands_and_the_message_that_is_asked_about(stage: Stage) -> None:
    fake = stage.discord
    fake.dm("alice", "Is it?", files=[NOTES, CAT])
    await stage.told("alice", words=" today")
    await fake.answered(fake.slash("alice", "ask", {"prompt": "And this?", "file": CAT}))
    await stage.shown(count=1)
    said = fake.say("bob", "general", "Look!", files=[CAT, File("song.mp3", "audio/mpeg", b"ID3")])
    opened = fake.choose("alice", "Ask about this", said)
    await fake.world.pulse.until(lambda: opened.modal)
    fake.submit("alice", opened, {})
    await stage.shown(count=2)
    dm, command, about = (seen.messages[-1] for seen in stage.model.seen)
    assert dm.text.startswith(
        'Is it?\n\n<file name="notes.txt" type="text/plain">\nThe sky is green.\n</file>'
    )
    assert [len(each.images) for each in (dm, command, about)] == [1, 1, 1]
    assert "> [song.mp3]" in about.text
    assert all("Authorization" not in headers for _, headers in fake.shelf.asked)


async def test_each_model_of_a_comparison_gets_the_file(stage: Stage) -> None:
    fake, chosen = stage.discord, {"first": "quick", "second": "spare"}
    used = fake.slash("alice", "compare", {"prompt": "Is it?", **chosen, "file": NOTES})
    board = await fake.answered(used)
    await fake.world.pulse.until(lambda: board.text.count(" today") == 2)
    seen = [*stage.model.seen, *stage.hall.two.seen]
    assert len(seen) == 2
    assert all("The sky is green." in each.messages[-1].text for each in seen)
    refused = fake.slash(
        "alice", "compare", {"prompt": "Is it?", **chosen, "file": replace(CAT, announced=BIG)}
    )
    assert "`cat.png` is too large" in (await fake.answered(refused)).text
    assert refused.private()


REFUSED: Sequence[tuple[list[File], str]] = [
    ([CAT, CAT, CAT], "A question may bring 2 files at most."),
    (
        [replace(CAT, announced=BIG)],
        "`cat.png` is too large",
    ),
    ([replace(CAT, manner=Manner.ENDLESS, announced=0)], "`cat.png` is too large"),
    ([replace(CAT, data=bytes(BIG), announced=5)], "`cat.png` is too large"),
    (
        [replace(CAT, announced=900_000)],
        "`cat.png` could not be fetched",
    ),
    ([replace(CAT, manner=Manner.AWAY)], "`cat.png` could not be fetched"),
    ([replace(CAT, manner=Manner.MISSING)], "`cat.png` could not be fetched"),
    ([replace(CAT, manner=Manner.SIGN_IN, announced=0)], "`cat.png` could not be fetched"),
    ([replace(CAT, manner=Manner.CUT)], "`cat.png` could not be fetched"),
    ([replace(CAT, manner=Manner.PACKED)], "`cat.png` could not be fetched"),
    ([File("cat.png", "image/png", b"<svg></svg>")], "`cat.png` is nothing that I can read."),
    ([NOTES, File("a.pdf", "", files.pdf(b"", pages=4))], "`a.pdf` has more than 3 pages"),
    ([File("a.pdf", "", files.scan())], "The PDF has no text in it"),
    (
        [File("bomb.png", "image/png", files.bomb(30_000, 30_000))],
        "`bomb.png` has more than 40 megapixels.",
    ),
]


async def test_what_cannot_be_taken_is_told_and_nothing_is_counted(stage: Stage) -> None:
    told: Counter[str] = Counter()
    for sent, words in REFUSED:
        told[words] += 1
        stage.discord.say("alice", "general", "What is this?", mention_bot=True, files=sent)
        await stage.shown(count=told[words], words=words)
    assert stage.model.seen == []
    stage.discord.say("alice", "general", "And without?", mention_bot=True)
    await stage.shown(words="conversation 1 of 3 today")


async def test_a_model_that_takes_no_images_says_which_do(stage: Stage) -> None:
    used = stage.discord.slash("alice", "ask", {"prompt": "What is this?", "model": "spare", "file": CAT})
    answer = await stage.discord.answered(used)
    assert "**spare** takes no images. These do: `quick`." in answer.text


async def test_files_of_other_hosts_are_left_where_they_are(stage: Stage) -> None:
    told = stage.discord.attachment(CAT)
    for number, url in enumerate(("http://127.0.0.1:9/cat.png", "file:///etc/passwd", "//x/y", "http://[")):
        stage.discord.say_with("alice", "Look!", {**told, "url": url})
        await stage.shown(count=number + 1, words="could not be fetched")
    assert stage.discord.shelf.asked == []


async def test_a_reply_goes_on_about_the_image(stage: Stage) -> None:
    stage.discord.say("alice", "general", "What is this?", mention_bot=True, files=[CAT])
    first = (await stage.shown())[0]
    stage.discord.say("alice", "general", "And its name?", reply_to=first)
    await stage.shown(count=2)
    shown = [image for message in stage.model.seen[1].messages for image in message.images]
    assert [type(image) for image in shown] == [Image]
