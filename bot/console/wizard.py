"""Asks for what a first start needs and writes `.env`; what is set already is neither asked nor changed."""

from __future__ import annotations

import re
import secrets
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from getpass import getpass
from pathlib import Path

from bot.console import dotenv
from engine.environment import Problem

ROUNDS = 5
"""How often what is wrong is asked again."""
KEYED = 32
"""Bytes of a key that we make."""


UNBROKEN = r"\S+"


@dataclass(frozen=True, slots=True)
class Question:
    """A variable, what it is and where it is found; `hidden` is not shown while it is typed.

    `form` is a pattern that every right answer has, and `mend` what to do about one without it.
    """

    name: str
    ask: str
    hidden: bool = False
    form: str = r"(?s).*"
    mend: str = "Copy it whole; it has no spaces in it."

    def misshapen(self, answer: str) -> list[Problem]:
        """What is wrong with an answer at first sight, which is not repeated: it may be a secret."""
        fits = re.fullmatch(self.form, answer) is not None
        return [] if fits else [Problem(self.name, "does not look like one", self.mend)]


@dataclass(frozen=True, slots=True)
class Topic:
    """Questions that belong together; without an answer to the first the others are not asked."""

    heading: str
    questions: tuple[Question, ...]
    alike: bool = False
    """Each is asked, whatever was answered before it."""


TOPICS = (
    Topic(
        "Models: a vendor's models are offered once its key is set. Without any, demo models answer.",
        (
            Question("OPENAI_API_KEY", "OpenAI API key", hidden=True, form=UNBROKEN),
            Question("ANTHROPIC_API_KEY", "Anthropic API key", hidden=True, form=UNBROKEN),
            Question("GEMINI_API_KEY", "Gemini API key", hidden=True, form=UNBROKEN),
        ),
        alike=True,
    ),
    Topic(
        "Discord: https://discord.com/developers/applications, your application, page Bot. docs/discord.md "
        "has the steps.",
        (
            Question(
                *("DISCORD_TOKEN", "Bot token"),
                hidden=True,
                form=r"[\w=-]{10,}\.\S+",
                mend="Press Reset Token on the page Bot and copy it whole; the client secret is no token.",
            ),
        ),
    ),
    Topic(
        "Slack: create an app from what `main.py slack-manifest` prints. docs/slack.md has the steps.",
        (
            Question(
                *("SLACK_BOT_TOKEN", "Bot User OAuth Token (xoxb-)"),
                hidden=True,
                form=r"xoxb-\S+",
                mend="Copy the one that begins with xoxb- from the app's page OAuth & Permissions.",
            ),
            Question(
                *("SLACK_APP_TOKEN", "App-level token with connections:write (xapp-)"),
                hidden=True,
                form=r"xapp-\S+",
                mend="Copy the one that begins with xapp- from the app's page Basic Information.",
            ),
        ),
    ),
    Topic(
        "Address: where members' browsers, Stripe and Slack reach this server.",
        (Question("APP_URL", "Public address, as https://chat.example.com"),),
    ),
    Topic(
        "Stripe: without a key payments are simulated. Begin with a key of test mode.",
        (
            Question(
                *("STRIPE_SECRET_KEY", "Secret or restricted key (sk_test_, rk_test_ ...)"),
                hidden=True,
                form=r"[prs]k_\S+",  # a publishable one is told by its name
                mend="Copy the one that begins with sk_ or rk_ from Stripe's page API keys.",
            ),
        ),
    ),
    Topic(
        "Operators: who is told when something needs them, and may use /admin.",
        (Question("ADMIN_IDS", "discord:ID and slack:TEAM/ID, divided by commas"),),
    ),
    Topic(
        "Mail: a daily report can come by e-mail.",
        (
            Question("SMTP_URL", "Mail server, as smtp://user:password@host:587", hidden=True),
            Question("MAIL_FROM", "Sender"),
            Question("MAIL_TO", "Receivers, divided by commas"),
        ),
    ),
)
QUESTIONS = {each.name: each for topic in TOPICS for each in topic.questions}
MADE = ("PROMPT_KEY",)
"""Keys that nobody has to think of: they seal what is kept for members."""

Ask = Callable[[str, bool], str]
"""Asks for one line, which is hidden if so; EOFError: nobody answers any more."""
Check = Callable[[Mapping[str, str]], Iterable[Problem]]
"""What is wrong if these variables are set beside those that are."""


def ask_terminal(question: str, hidden: bool) -> str:  # noqa: FBT001 - as `Ask`
    """Ask whoever sits before it, or read the next line of what is piped in."""
    if not sys.stdin.isatty():
        print(question)
        return input().strip()
    try:
        return (getpass if hidden else input)(question).strip()
    except EOFError:
        print()
        raise


def run(check: Check, environ: Mapping[str, str], path: Path, example: Path, ask: Ask = ask_terminal) -> int:
    """Ask, and write what was answered; the exit status."""
    try:
        known = {**dotenv.already(path), **{name: value for name, value in environ.items() if value.strip()}}
        if hindering := [each for each in check(known) if each.where not in QUESTIONS]:
            return unwritten(hindering)
        greet(path, known)
        answers = asked(TOPICS, known, ask)
        if wrong := mended(answers, known, check, ask):
            return unwritten(wrong)
        made = {name: secrets.token_urlsafe(KEYED) for name in MADE if name not in known}
        dotenv.write(path, {**answers, **made}, example)
    except KeyboardInterrupt:
        print("\nNothing was written.", file=sys.stderr)
        return 1
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        print(f"Nothing was written: {path} cannot be used ({why}). Mend that first.", file=sys.stderr)
        return 1
    told = ", ".join((*answers, *(f"{name} (made for you)" for name in made)))
    print(f"\nWritten to {path}: {told or 'nothing new'}.\n")
    return 0


def unwritten(wrong: Iterable[Problem]) -> int:
    """Say what has to be mended before anything is written; the exit status."""
    print("Nothing was written, since this needs mending:", *wrong, sep="\n  - ", file=sys.stderr)
    return 2


def greet(path: Path, known: Mapping[str, str]) -> None:
    """What is going to happen."""
    set_up = [each.name for topic in TOPICS for each in topic.questions if each.name in known]
    print("Enter leaves a thing out; all of it can be changed later. Nothing is sent anywhere yet.")
    if set_up:
        print(f"Set already, in {path} or the environment, and left as it is: {', '.join(set_up)}.")


def asked(topics: Iterable[Topic], known: Mapping[str, str], ask: Ask) -> dict[str, str]:
    """The answers by name; when nobody answers any more, all that is left is left out."""
    answers: dict[str, str] = {}
    try:
        for topic in topics:
            answer(topic, known, ask, answers)
    except EOFError:
        pass
    return answers


def answer(topic: Topic, known: Mapping[str, str], ask: Ask, answers: dict[str, str]) -> None:
    """Put the answers to the open questions of a topic to the others."""
    if all(each.name in known for each in topic.questions):
        return
    print(f"\n{topic.heading}")
    for each in topic.questions:
        if each.name in known:
            continue
        if given := ask(f"  {each.ask}: ", each.hidden):
            answers[each.name] = given
        elif not topic.alike:
            break


def mended(answers: dict[str, str], known: Mapping[str, str], check: Check, ask: Ask) -> list[Problem]:
    """Ask again for what is wrong, as long as somebody answers; what is wrong in the end."""
    for _ in range(ROUNDS):
        wrong = wrong_with(answers, known, check)
        again = [each for each in wrong if each.where in QUESTIONS and each.where not in known]
        if not again:
            return wrong
        for each in again:
            print(f"\n{each}")
            for question in concerned(each.where, {**known, **answers}):
                try:
                    given = ask(f"  {question.ask}: ", question.hidden)
                except EOFError:
                    return wrong
                answers.pop(question.name, None)
                answers |= {question.name: given} if given else {}
    return wrong_with(answers, known, check)


def wrong_with(answers: Mapping[str, str], known: Mapping[str, str], check: Check) -> list[Problem]:
    """What is wrong with these answers, at first sight and beside what is set."""
    found = list(check({**known, **answers}))
    told = {each.where for each in found}
    seen = [each for name in answers if name not in told for each in QUESTIONS[name].misshapen(answers[name])]
    return [*found, *seen]


def concerned(name: str, given: Mapping[str, str]) -> list[Question]:
    """The question for a variable; if that was answered, those of its topic too that were passed over."""
    topic = next(each for each in TOPICS if QUESTIONS[name] in each.questions)
    passed = [each for each in topic.questions if each.name not in given and not topic.alike]
    return [QUESTIONS[name], *(passed if name in given else ())]
