"""Files that come with questions in Slack, over both transports."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import pytest

from bot.slack.attached import FILES, GOV_FILES, Sent, fetcher, sent, source
from bot.slack.clients import open_session
from bot.slack.workspace import Identity, Workspace
from engine.files import FileFault
from tests.engine.conftest import Hall
from tests.fakes import files
from tests.fakes.shelf import File, Manner
from tests.fakes.slack import ALICE, BOB, GENERAL, FakeSlack
from tests.slack.conftest import Stage
from tests.slack.test_conversations import answered

CAT = File("cat.png", "image/png", files.image("PNG"))
NOTES = File("notes.txt", "text/plain", b"The sky is green.")


@pytest.fixture
def hall(hall: Hall) -> Hall:
    """All but one model take images and PDFs."""
    hall.reading("quick", "deep")
    return hall


async def told(slack: FakeSlack, words: str, count: int = 1) -> None:
    """Wait until Alice was told this so many times."""

    def found() -> bool:
        seen = [*slack.ephemerals(ALICE), *slack.dms(ALICE)]
        return sum(words in message.shown for message in seen) >= count

    await slack.wait_for(found)


async def test_files_come_with_mentions_and_direct_messages(stage: Stage) -> None:
    slack = stage.slack
    await slack.mention(ALICE, GENERAL, "", files=[CAT])
    await answered(slack, GENERAL)
    await slack.dm(ALICE, "Is it?", files=[NOTES, CAT])
    await answered(slack, slack.workspace.dm(ALICE).id)
    mention, dm = (seen.messages[-1] for seen in stage.model.seen)
    assert mention.text == 'What is this?\n\n<image name="cat.png" type="image/png"/>'
    assert dm.text.startswith('Is it?\n\n<file name="notes.txt" type="text/plain">\nThe sky is green.\n')
    assert [len(each.images) for each in (mention, dm)] == [1, 1]


async def test_a_scan_is_shown_to_a_model_as_it_is_and_again_with_a_follow_up(stage: Stage) -> None:
    slack = stage.slack
    await slack.dm(ALICE, "What is it?", files=[File("scan.pdf", "application/pdf", files.scan())])
    await answered(slack, slack.workspace.dm(ALICE).id)
    await slack.dm(ALICE, "And its name?")
    await answered(slack, slack.workspace.dm(ALICE).id, 2)
    first, second = (seen.messages[0] for seen in stage.model.seen)
    assert first.text == 'What is it?\n\n<file name="scan.pdf" type="application/pdf" pages="1"></file>'
    assert [pdf.name for pdf in first.pdfs] == ["scan.pdf"]
    assert first.pdfs == second.pdfs


REFUSED: Sequence[tuple[list[File], str]] = [
    ([CAT, CAT, CAT], "A question may bring 2 files at most."),
    ([replace(CAT, announced=1_000_001)], "`cat.png` is too large"),
    ([replace(CAT, manner=Manner.ENDLESS, announced=0)], "`cat.png` is too large"),
    ([replace(CAT, manner=Manner.AWAY)], "`cat.png` could not be fetched"),
    ([replace(CAT, manner=Manner.SIGN_IN, announced=0)], "`cat.png` could not be fetched"),
    ([replace(CAT, manner=Manner.CUT)], "`cat.png` could not be fetched"),
    ([File("a.zip", "application/zip", b"PK\x03\x04\x00\xff")], "`a.zip` is nothing that I can read."),
]


@pytest.mark.parametrize("stage", ["http"], indirect=True)
async def test_what_cannot_be_taken_is_told_and_nothing_is_counted(stage: Stage) -> None:
    seen: Counter[str] = Counter()
    for brought, words in REFUSED:
        seen[words] += 1
        await stage.slack.dm(ALICE, "What is this?", files=brought)
        await told(stage.slack, words, seen[words])
    assert stage.model.seen == []
    await stage.slack.dm(ALICE, "And without?")
    await told(stage.slack, "conversation 1 of 3 today")


@pytest.mark.parametrize("stage", ["socket"], indirect=True)
async def test_without_the_scope_slack_shows_a_page_to_sign_in_and_members_are_told(stage: Stage) -> None:
    stage.slack.app = replace(stage.slack.app, scopes=stage.slack.app.scopes - {"files:read"})
    await stage.slack.mention(ALICE, GENERAL, "Look!", files=[replace(CAT, announced=0)])
    await told(stage.slack, "`cat.png` could not be fetched")


async def test_the_token_goes_to_slacks_hosts_for_files_alone() -> None:
    async with open_session() as session:
        for api, host in (
            ("https://slack.com/api/", FILES),
            ("https://slack-gov.com/api/", GOV_FILES),
            ("https://proxy.example.com/api/", FILES),
            ("http://127.0.0.1:81/api/", "http://127.0.0.1:81"),
        ):
            made = fetcher(Workspace(Identity("T1", "U1", "B1"), "xoxb-1", api, session))
            assert made.origins == {host}
            assert made.token == "xoxb-1"
            elsewhere = replace(source({}), url="http://127.0.0.1:1/api/")
            assert await made.fetch(elsewhere, 100) is FileFault.UNFETCHED


def test_a_file_that_slack_does_not_keep_has_no_address() -> None:
    shown = {"name": "a", "url_private_download": "https://files.slack.com/a"}
    hidden = ({"mode": "tombstone"}, {"mode": "hidden_by_limit"}, {"mode": "external"}, {"is_external": True})
    told = sent({"files": [shown, *({**shown, **each} for each in hidden), {"id": "F1"}]})
    urls = [file.source.url for file in told if file.source]
    assert urls == ["https://files.slack.com/a", "", "", "", ""]
    assert told[-1] == Sent("F1")


async def test_files_of_which_slack_tells_the_id_alone_are_asked_for_once(stage: Stage) -> None:
    slack = stage.slack
    slack.workspace.shared_files = True
    await slack.mention(ALICE, GENERAL, "Is it?", files=[CAT, NOTES])
    await answered(slack, GENERAL)
    assert [len(each.images) for each in stage.model.seen[0].messages] == [1]
    assert len(slack.log.of("files.info")) == 2
    slack.faults.fail("files.info", "file_not_found")
    await slack.dm(ALICE, "Is it?", files=[CAT])
    await told(slack, "could not be fetched")


async def test_the_files_of_a_message_that_is_asked_about_are_taken_if_they_can_be(stage: Stage) -> None:
    slack = stage.slack
    song = File("song.mp3", "audio/mpeg", b"\xff\xfb\x90\x00")
    said = await slack.say(BOB, GENERAL, "", files=[CAT, song])
    await slack.shortcut(ALICE, said.message)
    window = await slack.window(ALICE)
    assert "📎 cat.png, song.mp3" in window.shown
    await slack.submit(window, question={"value": "What is it?"})
    await answered(slack, GENERAL)
    asked = stage.model.seen[0].messages[-1]
    assert len(asked.images) == 1
    assert "> [cat.png]\n> [song.mp3]" in asked.text


async def test_files_are_compared_too(stage: Stage) -> None:
    stage.hall.free(compare=2, requests_per_minute=None, concurrent=None)
    await stage.slack.dm(ALICE, "/compare models:quick,spare Is it?", files=[NOTES])
    await answered(stage.slack, stage.slack.workspace.dm(ALICE).id, 2)
    (seen,) = stage.model.seen
    assert seen.messages[-1].text.startswith('Is it?\n\n<file name="notes.txt"')
