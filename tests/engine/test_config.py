"""Configuration: what is taken, what is refused, and that all of it is said at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.checks import LONGEST_NAME
from engine.config import ConfigurationError, Settings, load_settings
from engine.domain import Interval, TierName

EVERYWHERE = "0.0.0.0"  # noqa: S104 - refused or guarded below
HERE = Path(__file__).parents[2]
SHIPPED = str(HERE / "config.toml")
MINIMAL = """
[tiers.free]
[models.m]
provider = "openai"
id = "m-1"
class = "everyday"
context = 1000
max_output = 100
"""


def settings(tmp_path: Path, text: str = MINIMAL, **environ: str) -> Settings:
    """Settings of a file with this text."""
    path = tmp_path / "config.toml"
    path.write_text(text)
    return load_settings({"CONFIG": str(path), **environ})


def problems(tmp_path: Path, text: str = MINIMAL, **environ: str) -> str:
    """All that is wrong, as it is printed."""
    with pytest.raises(ConfigurationError) as caught:
        settings(tmp_path, text, **environ)
    return str(caught.value)


def test_the_shipped_file_runs_as_it_is_with_the_demo_models() -> None:
    loaded = load_settings({"CONFIG": SHIPPED})
    assert [spec.name for spec in loaded.models] == ["demo-guide", "demo-coder", "demo-sage"]
    assert list(loaded.tiers) == [TierName.FREE, TierName.PREMIUM, TierName.TEAM, TierName.PRO]
    assert loaded.tiers[TierName.PREMIUM].price(Interval.YEAR) == 89_000_000
    assert loaded.tiers[TierName.FREE].conversations_per_day == 10
    assert loaded.tiers[TierName.PREMIUM].conversations_per_day is None
    assert loaded.playground.on


def test_a_vendors_key_brings_its_models_and_sends_the_demo_ones_away() -> None:
    loaded = load_settings({"CONFIG": SHIPPED, "OPENAI_API_KEY": "sk-fake"})
    assert {spec.provider for spec in loaded.models} == {"openai"}


def test_zero_means_none_and_absent_means_unlimited(tmp_path: Path) -> None:
    free = settings(tmp_path, MINIMAL.replace("[tiers.free]", "[tiers.free]\nconcurrent = 0")).tiers[
        TierName.FREE
    ]
    assert (free.concurrent, free.conversations_per_day) == (0, None)


def test_all_problems_come_at_once_each_with_its_mend(tmp_path: Path) -> None:
    text = MINIMAL.replace("max_output = 100", 'max_output = 2000\nfallback = ["n"]\ncolour = "red"')
    said = problems(
        tmp_path,
        text,
        PORT="http",
        SLACK_BOT_TOKEN="xoxb-fake",
        STRIPE_SECRET_KEY="sk_test_fake",
        DISCORD_SHARD_IDS="0",
    )
    for word in ("colour", "PORT", "SLACK_APP_TOKEN", "STRIPE_WEBHOOK_SECRET", "DISCORD_SHARD_COUNT"):
        assert word in said


def test_a_file_that_fits_its_tables_is_checked_across_them(tmp_path: Path) -> None:
    text = MINIMAL.replace("max_output = 100", 'max_output = 2000\nfallback = ["n"]').replace(
        "openai", "opnai"
    )
    said = problems(tmp_path, text)
    for word in ("unknown fallback 'n'", "unknown provider 'opnai'", "max_output leaves no room"):
        assert word in said


def test_whoever_is_to_look_at_questions_has_to_be_there(tmp_path: Path) -> None:
    looking = MINIMAL + '[moderation]\ncheck = "{}"\n'
    assert "moderation.check" in problems(tmp_path, looking.format("openai"))
    assert settings(tmp_path, looking.format("openai"), OPENAI_API_KEY="sk-fake").screening.check == "openai"
    assert "moderation.words" in problems(tmp_path, looking.format("words") + 'words = [" "]\n')
    assert settings(tmp_path, looking.format("words") + 'words = ["evil"]\n').screening.words == ("evil",)


def test_a_models_name_has_to_fit_on_buttons(tmp_path: Path) -> None:
    fits = MINIMAL.replace("[models.m]", f"[models.{'m' * LONGEST_NAME}]")
    assert "too long a name" in problems(tmp_path, fits.replace("[models.m", "[models.mm"))
    settings(tmp_path, fits)


def test_the_free_tier_is_required(tmp_path: Path) -> None:
    assert "tiers.free" in problems(tmp_path, MINIMAL.replace("[tiers.free]", "[tiers.pro]"))


def test_a_negative_price_or_limit_is_refused(tmp_path: Path) -> None:
    text = (
        MINIMAL.replace("[tiers.free]", "[tiers.free]\nconcurrent = -1")
        + "price = { input = -1.0, output = 1.0 }"
    )
    said = problems(tmp_path, text)
    assert "concurrent" in said
    assert "price" in said


def test_a_file_that_is_no_toml_says_where(tmp_path: Path) -> None:
    assert "line 1" in problems(tmp_path, "= 3")


def test_a_database_of_an_unknown_kind_is_refused_without_repeating_its_password(tmp_path: Path) -> None:
    said = problems(tmp_path, DATABASE_URL="mysql://user:fake-password@localhost/chat")
    assert "DATABASE_URL" in said
    assert "fake-password" not in said


def test_a_missing_file_says_what_to_do() -> None:
    with pytest.raises(ConfigurationError, match="CONFIG"):
        load_settings({"CONFIG": "nowhere/config.toml"})


def test_secrets_come_from_files_too_and_are_not_shown(tmp_path: Path) -> None:
    secret = tmp_path / "token"
    secret.write_text("discord-fake\n")
    loaded = settings(tmp_path, DISCORD_TOKEN_FILE=str(secret))
    assert loaded.discord is not None
    assert loaded.discord.token.get_secret_value() == "discord-fake"
    assert "discord-fake" not in repr(loaded)


def test_a_secret_file_that_is_missing_is_a_problem(tmp_path: Path) -> None:
    assert "STRIPE_SECRET_KEY_FILE" in problems(tmp_path, STRIPE_SECRET_KEY_FILE=str(tmp_path / "none"))


def test_a_dotenv_file_is_read_and_the_process_comes_first(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(MINIMAL)
    dotenv = tmp_path / ".env"
    dotenv.write_text(f"CONFIG={config}\nPORT=1111\nHOST=127.0.0.2\n")
    loaded = load_settings({"PORT": "2222"}, dotenv)
    assert (loaded.server.port, loaded.server.host) == (2222, "127.0.0.2")


def test_several_webhook_secrets_serve_a_rotation(tmp_path: Path) -> None:
    loaded = settings(
        tmp_path, STRIPE_SECRET_KEY="sk_test_fake", STRIPE_WEBHOOK_SECRET="whsec_old, whsec_new"
    )
    assert loaded.stripe is not None
    assert [each.get_secret_value() for each in loaded.stripe.webhook_secrets] == ["whsec_old", "whsec_new"]


def test_a_chat_token_turns_the_playground_off_unless_it_is_asked_for(tmp_path: Path) -> None:
    assert not settings(tmp_path, DISCORD_TOKEN="fake").playground.on
    assert settings(tmp_path, DISCORD_TOKEN="fake", PLAYGROUND="1").playground.on


def test_a_playground_that_others_can_reach_needs_a_key(tmp_path: Path) -> None:
    assert "PLAYGROUND_KEY" in problems(tmp_path, PLAYGROUND="1", HOST=EVERYWHERE)
    assert settings(tmp_path, PLAYGROUND="1", HOST=EVERYWHERE, PLAYGROUND_KEY="fake").playground.on


def test_a_compatible_server_is_a_row_that_names_its_own_key(tmp_path: Path) -> None:
    row = '[providers.groq]\nbase_url = "http://127.0.0.1:1/v1"\napi_key_env = "GROQ_API_KEY"\n'
    text = MINIMAL.replace('provider = "openai"', 'provider = "groq"') + row
    assert settings(tmp_path, text, GROQ_API_KEY="fake").models[0].provider == "groq"
    assert settings(tmp_path, text).models == ()


def test_what_is_set_without_effect_is_remarked(tmp_path: Path) -> None:
    assert any("SMTP_URL" in remark for remark in settings(tmp_path, SMTP_URL="smtp://localhost").remarks)


def test_an_address_without_a_scheme_is_refused(tmp_path: Path) -> None:
    assert "APP_URL" in problems(tmp_path, APP_URL="chat.example.com")


def test_chat_tokens_without_stripe_are_warned_of_simulated_payments(tmp_path: Path) -> None:
    assert any("SIMULATED" in remark for remark in settings(tmp_path, DISCORD_TOKEN="fake").remarks)
    stripe = {"STRIPE_SECRET_KEY": "sk_test_fake", "STRIPE_WEBHOOK_SECRET": "whsec_fake"}
    assert settings(tmp_path, DISCORD_TOKEN="fake", **stripe).remarks == ()


@pytest.mark.parametrize("people", ["ann", "discord:ann", "slack:U1", "discord:1,discord:"])
def test_an_operator_who_is_no_person_of_a_platform_is_refused(tmp_path: Path, people: str) -> None:
    assert "ADMIN_IDS: " in problems(tmp_path, ADMIN_IDS=people)
    assert len(settings(tmp_path, ADMIN_IDS="discord:1, slack:T1/U1,local:ann").admins) == 3
