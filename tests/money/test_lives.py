"""Whatever happens in whatever order, at rest everything agrees with Stripe."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest
import stripe
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.conftest import DATABASES
from tests.money.lives import Lives
from tests.postgres import PostgresServer

LIVES = "MONEY_LIVES"
"""More of them, and other ones at each run: MONEY_LIVES=500 make test ARGS="-k lives"."""
STEPS = 40
SOME = 8
"""In the usual suite; a failure is then shown as it was found, not made smaller, which takes minutes."""


@pytest.fixture(params=DATABASES)
def fresh_database(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], str]:
    """Gives the URL of an empty database each time."""
    if request.param == "sqlite":
        return lambda: f"sqlite:///{tmp_path}/{uuid4().hex}.db"
    server: PostgresServer = request.getfixturevalue("postgres")
    url: str = request.getfixturevalue("postgres_url")
    name: str = request.getfixturevalue("postgres_database")

    def emptied() -> str:
        server.delete_rows(name)
        return url

    return emptied


def test_at_rest_every_account_agrees_with_stripe(
    fresh_database: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stripe.HTTPClient, "INITIAL_DELAY", 0.01)
    here = type("Here", (Lives,), {"fresh_database": staticmethod(fresh_database)})
    run_state_machine_as_test(
        here,
        settings=settings(
            max_examples=int(os.environ.get(LIVES, SOME)),
            stateful_step_count=STEPS,
            deadline=None,
            derandomize=LIVES not in os.environ,
            phases=list(Phase) if LIVES in os.environ else [Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
