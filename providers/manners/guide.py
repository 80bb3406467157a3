"""demo-guide: shows a newcomer around and remembers what was said."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from engine.models import Message
from providers.manners.memory import asked_about, facts, questions, short
from providers.manners.received import received

WELCOME = """\
Hello! I am **demo-guide**, an offline demonstration model: I show you around without any account or key.

Ask me about:
- **commands**, and what each of them does
- **limits**, and what happens when you reach one
- **upgrading** and paying
- **models**, and how real ones are switched on
- **privacy**: who sees what

Or tell me something ("my name is Ada") and ask me for it later: I remember it within this conversation."""

COMMANDS = """\
Here is what you can type:
- `/ask` puts a question to a model; writing to me in a DM or mentioning me does the same
- `/new` starts a new conversation
- `/model` lists the models and lets you choose one; a lock marks those above your tier
- `/usage` shows what you have used and what is left
- `/plans` compares the tiers, `/upgrade` takes you to checkout, `/billing` to your invoices
- `/help` says all this again"""

LIMITS = """\
A **conversation** is one thread, reply chain or DM stretch. It counts once, on its first answered turn, \
and the count starts afresh at midnight UTC. Follow-ups in the same conversation are turns, and they \
have a limit of their own.

At the limit nothing is lost and nothing is charged: you are told what ran out and until when, and \
offered the cheapest tier that lifts it. A turn that fails before a word reaches you is not counted.

`/usage` has your numbers."""

UPGRADE = """\
Type `/upgrade`, with the tier and `month` or `year` if you know them already. You get a private link to \
checkout; once the payment is confirmed your tier changes by itself, and I tell you so.

Without a Stripe key the checkout page is simulated and says so: no money moves. `/plans` shows what \
each tier costs, `/billing` changes or cancels a subscription."""

MODELS = """\
Here are three demo models, all offline: **demo-guide** (me), **demo-coder**, who writes short programs, \
and **demo-sage**, who answers in verse and belongs to the strong class, which the free tier cannot use: \
`/model demo-sage` shows what a lock looks like.

Real models appear as soon as the operator sets `OPENAI_API_KEY`, `ANTHROPIC_API_KEY` or \
`GEMINI_API_KEY`, or adds any OpenAI-compatible server to `config.toml`."""

PRIVACY = """\
Every member has conversations of their own: nobody's words enter another's. Your history is kept to \
answer follow-ups, and only the model that you ask is sent it. Links to pay come to you alone, by DM or \
as a private reply.

What I was told by you here I do not know in a new conversation: try `/new` and ask me your name."""

TOPICS: Sequence[tuple[str, str]] = (
    (r"upgrad|pay|subscri|price|cost|premium|checkout|stripe|billing|invoice|cancel|refund", UPGRADE),
    (r"limit|quota|run out|left\b|usage|counted|how many|tiers?\b|plans?\b|turns?\b", LIMITS),
    (r"models?\b|openai|gpt|anthropic|claude|gemini|ollama|demo-|\breal\b", MODELS),
    (r"privacy|private|who sees|data\b|stored?|secret|isolat|other (?:members|people|users)", PRIVACY),
    (r"commands?\b|help|what can (?:you|i) do|how (?:do|does|can|to)|/\w+", COMMANDS),
    (r"^\W*(?:thanks?|thank you|merci|danke)\b", "You are welcome!"),
    (r"^\W*(?:hi|hello|hey|good (?:morning|evening|day)|moin|servus)\b|who are you|what are you", WELCOME),
)
BACK = re.compile(r"\b(?:previous|before|earlier|last (?:question|message|thing)|did i (?:ask|say|write))\b")
ABOUT_ME = re.compile(r"\babout me\b|\bwhat (?:do|did|have) (?:you|i) (?:know|remember|told|tell)\b")


def answer(messages: Sequence[Message]) -> str:
    """A reply to the last message, in the light of those before it."""
    said = questions(messages)
    now, folded = said[-1], said[-1].casefold()
    replies: Sequence[Callable[[], str | None]] = (
        lambda: received(messages[-1]),
        lambda: _noted(now),
        lambda: _recall(facts(said[:-1]), asked_about(now)),
        lambda: _all_known(said[:-1]) if ABOUT_ME.search(folded) else None,
        lambda: _look_back(said[:-1]) if BACK.search(folded) else None,
        lambda: _on_topic(now),
        lambda: _never_told(asked_about(now)),
    )
    return next((text for reply in replies if (text := reply())), None) or _otherwise(said)


def _on_topic(now: str) -> str | None:
    return next((text for pattern, text in TOPICS if re.search(pattern, now.casefold())), None)


def _noted(now: str) -> str | None:
    told = facts([now])
    if not told:
        return None
    noted = f"Noted: {_listed(told)}. Ask me for it later in this conversation, and I will know."
    return "\n\n".join([noted, *filter(None, [_on_topic(now)])]) if "?" in now else noted


def _recall(known: Mapping[str, str], what: str | None) -> str | None:
    if what is None or what not in known:
        return None
    return f"Your {what} is **{known[what]}**; you told me so in this conversation."


def _never_told(what: str | None) -> str | None:
    if what is None:
        return None
    return f"You have not told me your {what} in this conversation. Say “my {what} is …” and ask me again."


def _all_known(before: Sequence[str]) -> str:
    known = facts(before)
    if not known:
        return "Nothing yet: in this conversation you have told me nothing about yourself."
    return f"In this conversation you told me: {_listed(known)}."


def _look_back(before: Sequence[str]) -> str:
    if not before:
        return "This is your first message in this conversation; there is nothing before it."
    earlier = f" Before that: “{short(before[-2])}”." if len(before) > 1 else ""
    return f"Your last message before this one was: “{short(before[-1])}”.{earlier}"


def _otherwise(said: Sequence[str]) -> str:
    name = facts(said[:-1]).get("name")
    greeting = f"{name}, a" if name else "A"
    after = f" You asked before: “{short(said[-2])}”." if len(said) > 1 else ""
    return (
        f"{greeting} real model would answer “{short(said[-1])}” for you now. I am a demonstration and "
        f"know this place only: ask me about commands, limits, upgrading, models or privacy.{after}"
    )


def _listed(known: Mapping[str, str]) -> str:
    return ", ".join(f"your {what} is **{value}**" for what, value in known.items())
