"""Configuration: what is taken, what is refused, and that all of it is said at once."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from engine.checks import LONGEST_NAME
from engine.config import ConfigurationError, load_settings
from engine.domain import Interval, TierName
from engine.models import Price
from engine.pricing import price_at
from engine.settings import Settings
from tests.fakes.clock import NOON

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


def test_metrics_that_others_can_reach_need_a_token_that_cannot_be_guessed(tmp_path: Path) -> None:
    token = "fake-metrics-token-of-a-test"
    assert not settings(tmp_path).metrics.on
    assert settings(tmp_path, METRICS_PORT="9100").metrics.on
    assert "METRICS_TOKEN" in problems(tmp_path, METRICS_PORT="9100", HOST=EVERYWHERE)
    assert settings(tmp_path, METRICS_PORT="9100", HOST=EVERYWHERE, METRICS_TOKEN=token).metrics.port == 9100
    assert "guessed" in problems(tmp_path, METRICS_TOKEN="secret")
    assert "another" in problems(tmp_path, METRICS_PORT="8080")


def test_an_operator_of_the_playground_is_remarked_where_others_can_open_it(tmp_path: Path) -> None:
    told = settings(tmp_path, ADMIN_IDS="local:alice", PLAYGROUND_KEY="fake").remarks
    assert any("can be them" in each for each in told)
    for quiet in ({"ADMIN_IDS": "local:alice"}, {"ADMIN_IDS": "discord:1", "PLAYGROUND_KEY": "fake"}):
        assert not any("can be them" in each for each in settings(tmp_path, **quiet).remarks)


def test_a_compatible_server_is_a_row_that_names_its_own_key(tmp_path: Path) -> None:
    row = '[providers.groq]\nbase_url = "http://127.0.0.1:1/v1"\napi_key_env = "GROQ_API_KEY"\n'
    text = MINIMAL.replace('provider = "openai"', 'provider = "groq"') + row
    assert settings(tmp_path, text, GROQ_API_KEY="fake").models[0].provider == "groq"
    assert settings(tmp_path, text).models == ()


def test_pages_that_nobody_looks_at_are_remarked_where_pictures_are_looked_at(tmp_path: Path) -> None:
    shown = MINIMAL + 'accepts = ["pdf"]\n'
    looked = '[moderation]\ncheck = "openai"\n'
    (remark,) = settings(tmp_path, shown + looked, OPENAI_API_KEY="fake").remarks
    assert "what their pages show to m." in remark
    for text in (shown, MINIMAL + looked):
        assert settings(tmp_path, text, OPENAI_API_KEY="fake").remarks == ()


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


WRONG_PRICES = {
    "{ input = -1.0, output = 1.0 }": "m.price.input: Input should be greater than or equal to 0",
    "{ input = nan, output = 1.0 }": "m.price.input: Input should be a finite number",
    "{ input = 1.0, output = inf }": "m.price.output: Input should be a finite number",
    "{ input = 1.0, output = 1e400 }": "m.price.output: Input should be less than or equal to",
    "{ input = 1.0, output = 1.0, outptu = 1.0 }": "m.price.outptu: unknown key",
    "{ input = 1.0, output = 1.0, reasoning = -2 }": "m.price.reasoning: Input should be greater",
    "{ input = 1.0, output = 1.0, cache_write = nan }": "m.price.cache_write: Input should be a finite",
    "{ input = 1.0 }": "m.price.output: Field required",
    "{ from = 2026-12-01, input = 1.0, output = 1.0 }": "m.price.from: unknown key",
    "[]": "m: has an empty list of prices",
    "[{ input = 1.0, output = 1.0 }]": "m.price.0.from: Field required",
    "[{ from = 2026-12-01, input = 1.0, output = nan }]": "m.price.0.output: Input should be a finite",
    "[{ from = 2026-13-01, input = 1.0, output = 1.0 }]": "is not TOML",
    '"free"': "m.price: Input should be 'unknown'",
    "0.5": "m.price: Input should be a valid dictionary",
}


@pytest.mark.parametrize("price", WRONG_PRICES)
def test_a_price_that_is_no_amount_is_refused_once_and_where_it_stands(tmp_path: Path, price: str) -> None:
    (said,) = problems(tmp_path, f"{MINIMAL}price = {price}").splitlines()
    assert WRONG_PRICES[price] in said


def test_one_day_has_one_price(tmp_path: Path) -> None:
    days = ("2026-12-01", "2027-01-01", "2026-12-01")
    told = ", ".join(f"{{ from = {day}, input = 1.0, output = 1.0 }}" for day in days)
    assert "has two prices from 2026-12-01" in problems(tmp_path, f"{MINIMAL}price = [{told}]")


def test_dated_prices_hold_from_midnight_whatever_their_order(tmp_path: Path) -> None:
    told = (
        "price = [{ from = 2027-01-01, input = 3.0, output = 1.0 },"
        " { from = 2026-12-01, input = 2.0, output = 1.0, reasoning = 4.0, cache_write = 2.5 }]"
    )
    (spec,) = settings(tmp_path, f"{MINIMAL}{told}", OPENAI_API_KEY="sk-fake").models
    first, second = spec.prices
    assert (first.since, second.since) == (
        datetime(2026, 12, 1, tzinfo=UTC),
        datetime(2027, 1, 1, tzinfo=UTC),
    )
    assert first.price == Price(2_000_000, 2_000_000, 1_000_000, 2_500_000, 4_000_000)


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Book:
    """A price book that knows one vendor's models."""

    def price(self, provider: str, vendor_id: str, at: datetime, context: int) -> Price | None:
        """A price of OpenAI's."""
        return Price(1, 1, 1) if provider == "openai" and vendor_id and at > EPOCH and context else None


def priced(tmp_path: Path, text: str, *, known: bool = False) -> Settings:
    """Settings as they are loaded at noon, beside a book that knows the model or does not."""
    path = tmp_path / "config.toml"
    path.write_text(text if known else text.replace('"openai"', '"demo"'))
    return load_settings({"CONFIG": str(path)}, price_now=lambda spec: price_at(spec, Book(), NOON))


DATED = "price = [{{ from = {}, input = 1.0, output = 1.0 }}]"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "has no price, here or in the price book"),
        (DATED.format("2026-12-01"), "no price before 2026-12-01"),
    ],
)
def test_a_model_whose_price_is_written_nowhere_is_refused_with_both_mends(
    tmp_path: Path, text: str, what: str
) -> None:
    with pytest.raises(ConfigurationError, match=what) as caught:
        priced(tmp_path, MINIMAL + text)
    assert "price = {" in str(caught.value)
    assert 'price = "unknown"' in str(caught.value)


@pytest.mark.parametrize(
    ("text", "book"),
    [
        ("", "knows it"),
        (DATED.format("2026-12-01"), "knows it"),
        (DATED.format("2026-11-01"), ""),
        ("price = { input = 0.0, output = 0.0 }", ""),
    ],
)
def test_a_price_here_or_in_the_book_will_do_a_future_one_beside_the_book_too(
    tmp_path: Path, text: str, book: str
) -> None:
    assert priced(tmp_path, MINIMAL + text, known=bool(book)).remarks == ()


PAYING = """
[tiers.pro]
price_month = 50.0
{}
"""


@pytest.mark.parametrize(
    ("tiers", "whom"),
    [
        ("", "It is offered to nobody"),
        (PAYING.format("cost_ceiling_month = 30.0"), "It is offered to nobody"),
        (PAYING.format('models = ["strong"]'), "It is offered to nobody"),
        (PAYING.format(""), "It is offered to pro alone"),
    ],
)
def test_an_unknown_price_is_taken_at_its_word_and_told_at_the_start(
    tmp_path: Path, tiers: str, whom: str
) -> None:
    (remark,) = priced(tmp_path, f'{MINIMAL}price = "unknown"{tiers}').remarks
    assert remark.startswith("config.toml models.m: its price is unknown")
    assert whom in remark


def test_an_unknown_price_that_the_book_knows_is_that_of_the_book(tmp_path: Path) -> None:
    (remark,) = priced(tmp_path, f'{MINIMAL}price = "unknown"', known=True).remarks
    assert "the price book knows its price" in remark


@pytest.mark.parametrize(
    ("ceilings", "key"), [("bot_month = 100.0", "bot_month"), ("vendor_day = { demo = 1.0 }", "vendor_day")]
)
def test_an_unknown_price_is_refused_where_a_ceiling_would_have_to_count_it(
    tmp_path: Path, ceilings: str, key: str
) -> None:
    with pytest.raises(ConfigurationError, match=f"which ceilings.{key} could not count"):
        priced(tmp_path, f'{MINIMAL}price = "unknown"\n[ceilings]\n{ceilings}')


def test_every_model_is_known_with_what_switches_its_vendor_on(tmp_path: Path) -> None:
    rows = '[providers.groq]\nbase_url = "http://127.0.0.1:1"\napi_key_env = "GROQ_KEY"\n'
    near = '[providers.near]\nbase_url = "http://127.0.0.1:1"\n'
    loaded = settings(tmp_path, f"{MINIMAL}{rows}{near}", ANTHROPIC_API_KEY="sk-fake")
    assert [spec.name for spec in loaded.shelf] == ["m"]
    keys = {"openai": "OPENAI_API_KEY", "gemini": "GEMINI_API_KEY", "groq": "GROQ_KEY", "near": ""}
    assert {name: loaded.vendor_keys[name] for name in keys} == keys
