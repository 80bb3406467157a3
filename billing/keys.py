"""What a Stripe key looks like and which world it opens."""

from __future__ import annotations

from engine.facts import Mode

PREFIXES = ("sk_test_", "sk_live_", "rk_test_", "rk_live_")
RESTRICTED = "rk_"
LIVE = ("sk_live_", "rk_live_")


def mode_of(secret_key: str) -> Mode:
    """The world that a secret or restricted key opens (docs.stripe.com/keys)."""
    return Mode.LIVE if secret_key.startswith(LIVE) else Mode.TEST
