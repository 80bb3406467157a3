"""Erases a person from every table, and looks whether anything of them is left."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import product
from uuid import uuid4

from engine.domain import Account, AccountId, Person, Platform
from engine.erasure import Cell, Fate, Trace
from engine.facts import Mode
from engine.spending import Purpose
from engine.terms import Duty, DutyId, DutyKind
from storage.carrying import conversations_of, remember
from storage.conversations import END_OF_TIME
from storage.duties import Duties
from storage.personal import HELD, OTHERS_WORDS, Held, given, searched
from storage.session import Param, Row, Session, day_number
from storage.spending import Spending, book_lost
from storage.summaries import asked_from
from storage.turns import Turns

REDELIVERED = timedelta(hours=2)
"""So long a platform may deliver a message again: its key stays, lest it be answered as a new one."""
LOCAL = "local_message"
"""The playground's messages: whose they are depends on what they answer, which the registry cannot say."""
TEXTS = (
    ("texts_of_audit", "rewrite_audit"),
    ("texts_of_alert", "rewrite_alert"),
    ("subjects_of_alert", "resubject_alert"),
    ("links_of_alert", "relink_alert"),
    ("texts_of_object", "rewrite_object"),
    ("owners_of_object", "reown_object"),
)


class Erasure:
    """ErasureTx on a session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def traces(self, account: AccountId, person: Person, now: datetime) -> Sequence[Trace]:
        params = {**named(account, person), "lately": now - REDELIVERED}
        found = [(each, self._session.one(f"held_{n}", **params)) for n, each in self._parts(account)]
        counted = [(each, int(row["found"]) if row else 0) for each, row in found]
        theirs = len(self._local(person))
        more = [Trace(LOCAL, Fate.DELETED, theirs)] if theirs else []
        return [*(Trace(each.table, each.fate, rows, each.why) for each, rows in counted if rows), *more]

    def _parts(self, account: AccountId) -> Sequence[tuple[int, Held]]:
        """What of the registry may be about an account, with its number there."""
        owns = self._session.one("owns_team", account=account) is not None
        return [(number, each) for number, each in enumerate(HELD) if owns or not each.owners]

    def erase(self, account: Account, name: str, now: datetime) -> Sequence[Trace]:
        session, person, erased = self._session, account.person, uuid4().hex
        session.run("lock_to_erase", account=account.id, name=uuid4().hex)
        begun = conversations_of(session, account.id, now)
        self._book(account.id, now)
        remember(session, account.id, person, begun, now)
        self._close_checkouts(account.id, now)
        found = self.traces(account.id, person, now)
        pooled = session.all("pooled_conversations_of", account=account.id, day=day_number(now.date()))
        if pooled or any(each.fate is Fate.RENAMED for each in found):
            session.run("make_erased", id=erased, platform=person.platform, name=name, now=now)
        for row in session.all("usage_events_of", account=account.id):
            session.run("rename_usage_event", turn=row["turn"], fresh=uuid4().hex)
        for message in self._local(person):
            session.run("drop_local", id=message["id"])
        self._strike_out(account.id, person, erased, name)
        self._do(account.id, person, erased, name, now, [row["id"] for row in pooled])
        return found

    def _do(
        self,
        account: AccountId,
        person: Person,
        erased: str,
        name: str,
        now: datetime,
        pooled: Sequence[str],
    ) -> None:
        """What the registry says; a place's pool of the day goes on counting what was begun in it."""
        more: Mapping[str, Param] = {
            "erased": erased,
            "name": name,
            "lately": now - REDELIVERED,
            "nothing": b"",
        }
        for number, held in self._parts(account):
            if held.table == "conversation":
                for each in pooled:
                    self._session.run("keep_pooled", id=each, fresh=uuid4().hex, erased=erased)
            self._session.run(f"erase_{number}", **named(account, person), **more)

    def _book(self, account: AccountId, now: datetime) -> None:
        """Let go what is being answered, and write down what vendors may charge for it and what was lost."""
        session = self._session
        Turns(session).release_expired(END_OF_TIME, account)
        turns = session.all("unpriced_turns_of", account=account)
        book_lost(session, [row for turn in turns for row in session.all("price_lost", id=turn["id"])], now)
        for row in session.all("asked_summaries_of", account=account):
            Spending(session).charge_house(asked_from(row), Purpose.SUMMARY, now)

    def _close_checkouts(self, account: AccountId, now: datetime) -> None:
        for row in self._session.all("open_checkouts_of", account=account):
            name, kind = DutyId(f"close:{row['session']}"), DutyKind.CLOSE_CHECKOUT
            duty = Duty(name, kind, Mode(row["mode"]), row["session"])
            Duties(self._session).owe_duty(duty, now)

    def _strike_out(self, account: AccountId, person: Person, erased: str, name: str) -> None:
        """Replace their names within texts that stay."""
        for needle, instead in ((str(account), erased), (str(person), name)):
            pattern = whole(needle)
            for read, write in TEXTS:
                for row in self._session.all(read, like=f"%{needle}%"):
                    self._session.run(write, id=row["id"], text=pattern.sub(instead, row["text"]))

    def _local(self, person: Person) -> Sequence[Row]:
        """The playground's messages by and to a person, and answers to these."""
        if person.platform is not Platform.LOCAL:
            return ()
        rows = self._session.all("every_local")
        theirs = {row["id"] for row in rows if person.user in {row["author"], row["audience"]}}
        while more := {row["id"] for row in rows if replies(row, theirs)} - theirs:
            theirs |= more
        return [row for row in rows if row["id"] in theirs]

    def remains(self, account: AccountId, person: Person) -> tuple[int, Sequence[str]]:
        ours, theirs = whole(str(account)), whole(str(person))
        found: set[str] = set()
        for table, columns in searched().items():
            rows = self._session.all(f"search_{table}", account=f"%{account}%", person=f"%{person}%")
            for row, column in product(rows, columns):
                text, name = row[column] or "", f"{table}.{column}"
                if ours.search(text) or (name not in OTHERS_WORDS and theirs.search(text)):
                    found.add(name)
        if self._session.one("payload_of_erased"):
            found.add("stripe_event.payload")
        return sum(map(len, searched().values())) + 1, sorted(found)

    def personal_tables(self) -> Sequence[str]:
        return (*given(), LOCAL)

    def personal_rows(
        self, table: str, account: AccountId, person: Person, skip: int, limit: int
    ) -> Sequence[Mapping[str, Cell]]:
        if table == LOCAL:
            rows = self._local(person)[skip : skip + limit]
        else:
            rows = self._session.all(f"given_{table}", **named(account, person), skip=skip, most=limit)
        return [dict(row) for row in rows]  # type: ignore[call-overload]  # rows of both drivers are mappings

    def forget_erased(self, now: datetime) -> int:
        self._session.run("lock_erasure_key")  # until then somebody may be erased, and remembered by it
        forgotten = self._session.run("forget_erased", now=now)
        if forgotten:
            self._session.run("forget_erasure_key")
        return forgotten


def named(account: AccountId, person: Person) -> Mapping[str, Param]:
    """The parameters of what is whose."""
    return {
        "account": account,
        "platform": person.platform,
        "workspace": person.workspace,
        "member": person.user,
        "person": str(person),
    }


def whole(needle: str) -> re.Pattern[str]:
    """A name where it is not the part of a longer one."""
    return re.compile(rf"(?<![\w:/.-]){re.escape(needle)}(?![\w/.-])")


def replies(row: Row, messages: set[str]) -> bool:
    """Whether a message of the playground answers one of these."""
    return json.loads(row["body"]).get("reply_to") in messages and row["author"] == "Assistant"
