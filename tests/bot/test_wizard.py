"""The first-run wizard: what it asks, what it writes, and what it leaves as it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.console import dotenv, wizard
from engine.config import ConfigurationError, load_settings, problems_with
from engine.environment import from_dotenv
from tests.fakes.discord.fake import TOKEN
from tests.program import ROOT

EXAMPLE = ROOT / ".env.example"
CONFIG = {"CONFIG": f"{ROOT}/config.toml"}
NAMES = [each.name for topic in wizard.TOPICS for each in topic.questions]


class Visitor:
    """Gives an answer to each question, by what it is about; then nobody is there any more."""

    def __init__(self, *answers: str) -> None:
        self._answers: Iterator[str] = iter(answers)
        self.asked: list[str] = []

    def __call__(self, question: str, hidden: bool) -> str:  # noqa: FBT001 - as the port is
        del hidden
        self.asked.append(question.strip())
        try:
            return next(self._answers)
        except StopIteration:
            raise EOFError from None


def run(folder: Path, ask: wizard.Ask, environ: Mapping[str, str] = CONFIG) -> int:
    return wizard.run(problems_with, environ, folder / ".env", EXAMPLE, ask)


def test_answers_stand_in_the_lines_of_the_example_for_the_owners_eyes_alone(tmp_path: Path) -> None:
    visitor = Visitor("sk-fake", "", "", "", "", "https://chat.example.com", "", "discord:1234")
    assert run(tmp_path, visitor) == 0
    written = from_dotenv(tmp_path / ".env")
    assert {name: written[name] for name in ("OPENAI_API_KEY", "APP_URL", "ADMIN_IDS")} == {
        "OPENAI_API_KEY": "sk-fake",
        "APP_URL": "https://chat.example.com",
        "ADMIN_IDS": "discord:1234",
    }
    assert len(written["PROMPT_KEY"]) >= 32
    assert "DISCORD_TOKEN" not in written
    assert (tmp_path / ".env").read_text().startswith("# Copy to .env")
    assert (tmp_path / ".env").stat().st_mode & 0o777 == 0o600


def test_what_is_there_is_neither_asked_nor_changed(tmp_path: Path) -> None:
    before = "# mine\nAPP_URL=https://old.example.com\nDISCORD_TOKEN='a b'"
    (tmp_path / ".env").write_text(before)
    visitor = Visitor("sk-fake")
    assert run(tmp_path, visitor, {**CONFIG, "STRIPE_SECRET_KEY": "sk_test_fake"}) == 0
    text = (tmp_path / ".env").read_text()
    assert text.startswith(f"{before}\n\n# Added by main.py.\nOPENAI_API_KEY=sk-fake\nPROMPT_KEY=")
    assert not any("address" in each or "Bot token" in each for each in visitor.asked)
    assert not any("Secret or restricted" in each for each in visitor.asked)


def test_a_second_run_with_nothing_to_add_changes_no_byte(tmp_path: Path) -> None:
    run(tmp_path, Visitor("sk-fake"))
    before = (tmp_path / ".env").read_bytes()
    assert run(tmp_path, Visitor()) == 0
    assert (tmp_path / ".env").read_bytes() == before


def test_what_is_wrong_is_asked_again_with_the_mend(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    visitor = Visitor("", "", "", "", "", "chat.example.com", "", "", "", "https://chat.example.com")
    assert run(tmp_path, visitor) == 0
    assert from_dotenv(tmp_path / ".env")["APP_URL"] == "https://chat.example.com"
    assert "Write it whole" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("place", "wrong", "right", "told"),
    [
        (0, "sk fake", "sk-fake", "OPENAI_API_KEY: does not look like one"),
        (3, "client-secret", "MTIzNDU2Nzg5MA.fake.token", "DISCORD_TOKEN: does not look like one"),
        (3, "MTIzNDU2Nzg5MA", TOKEN, "DISCORD_TOKEN: does not look like one"),
        (6, "whsec_fake", "sk_test_fake", "begins with sk_ or rk_"),
    ],
)
def test_what_cannot_be_right_is_asked_again_without_being_repeated(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], place: int, wrong: str, right: str, told: str
) -> None:
    answers = [""] * 9
    answers[place] = wrong
    visitor = Visitor(*answers, right)
    assert run(tmp_path, visitor) == 0
    assert right in from_dotenv(tmp_path / ".env").values()
    said = capsys.readouterr().out
    assert told in said
    assert wrong not in said


def test_half_of_slack_is_asked_for_the_other_half(tmp_path: Path) -> None:
    visitor = Visitor("", "", "", "", "xoxb-fake", "", "", "", "", "", "xoxb-fake", "xapp-fake")
    assert run(tmp_path, visitor) == 0
    assert from_dotenv(tmp_path / ".env")["SLACK_APP_TOKEN"] == "xapp-fake"


def test_what_no_answer_could_mend_is_said_before_anything_is_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    visitor = Visitor("sk-fake")
    assert run(tmp_path, visitor, {"CONFIG": f"{tmp_path}/none.toml"}) == 2
    assert visitor.asked == []
    assert "none.toml: cannot be read" in capsys.readouterr().err


@pytest.mark.parametrize("in_the_way", [".env", ".env.new"])
def test_a_file_that_cannot_be_written_is_said_in_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], in_the_way: str
) -> None:
    (tmp_path / in_the_way).mkdir()
    assert run(tmp_path, Visitor("sk-fake")) == 1
    assert "Is a directory" in capsys.readouterr().err


def test_a_file_in_another_encoding_is_said_in_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / ".env").write_bytes(b"\xff\xfe=1\n")
    assert run(tmp_path, Visitor("sk-fake")) == 1
    assert "it is not UTF-8" in capsys.readouterr().err
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load_settings(CONFIG, tmp_path / ".env")


def test_what_nobody_mends_is_named_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path, Visitor("", "", "", "", "", "", "pk_test_fake")) == 2
    assert not (tmp_path / ".env").exists()
    assert "STRIPE_SECRET_KEY: is a publishable key" in capsys.readouterr().err


def test_whoever_leaves_has_nothing_written(tmp_path: Path) -> None:
    def leave(_question: str, _hidden: bool) -> str:  # noqa: FBT001 - as the port is
        raise KeyboardInterrupt

    assert run(tmp_path, leave) == 1
    assert not (tmp_path / ".env").exists()


def test_every_question_is_about_a_variable_of_the_example() -> None:
    assert all(f"{name}=" in EXAMPLE.read_text() for name in (*NAMES, *wizard.MADE))


def test_a_file_that_cannot_be_written_gives_the_secrets_to_copy(tmp_path: Path) -> None:
    told = dotenv.keep_secrets("whsec_fake", tmp_path / "nowhere" / ".env")
    assert told.endswith("Put this into it: STRIPE_WEBHOOK_SECRET=whsec_fake")


@settings(deadline=None)
@given(
    st.dictionaries(
        st.sampled_from([*NAMES, "OTHER"]),
        st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters="$")).filter(bool),
    )
)
def test_any_value_is_read_as_it_was_written(values: dict[str, str]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / ".env"
        dotenv.write(path, values, EXAMPLE)
        assert {name: from_dotenv(path)[name] for name in values} == values
