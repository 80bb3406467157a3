"""Where a person's data is: for each table, which rows are whose and what becomes of them on erasure.

Every table of the schema stands here once at least; a test tells which does not. A new table is a line.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from engine.erasure import Fate
from storage.schema import schema

ACCOUNT = "account = :account"
TURN = "turn IN (SELECT id FROM turn WHERE account = :account)"
CONVERSATION = "conversation IN (SELECT id FROM conversation WHERE account = :account)"
NAMED = "platform = :platform AND workspace = :workspace AND member = :member"
PERSON = "person = :person"
ASKED = "key IN (SELECT key FROM turn WHERE account = :account)"
CUSTOMER = """EXISTS (
    SELECT 1 FROM customer c
    WHERE c.account = :account AND c.mode = stripe_event.mode
        AND c.stripe_customer_id = stripe_event.stripe_customer_id
) OR EXISTS (
    SELECT 1 FROM former_customer f
    WHERE f.account = :account AND f.mode = stripe_event.mode
        AND f.stripe_customer_id = stripe_event.stripe_customer_id
)"""
BOOKS = "the books: what was sold, refunded and charged has to add up"
COUNTS = "a count of how members came to pay, without content"


@dataclass(frozen=True, slots=True)
class Held:
    """Some rows of a table that are a person's.

    `whose` is their condition: of :account, :platform, :workspace, :member, :person, :lately.
    `sets` are new values of columns: of :erased (an account without a name), :name (for audit rows);
    `keeps` are text columns that stay and name nobody.
    """

    table: str
    whose: str
    fate: Fate = Fate.DELETED
    sets: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    keeps: tuple[str, ...] = ()
    why: str = ""
    given: bool = True
    """Whether the person is given these rows."""
    owners: bool = False
    """Whether only owners of a team have such rows: finding them takes reading the whole table."""
    hides: tuple[str, ...] = ()
    """Columns that they are not given: keys, digests, and files, which they get as such."""


def renamed(table: str, *keeps: str, why: str = BOOKS) -> Held:
    """Rows that stay under the erased name."""
    return Held(table, ACCOUNT, Fate.RENAMED, MappingProxyType({"account": ":erased"}), keeps, why)


def scoped(table: str, column: str, *, owners: bool = True) -> Held:
    """Rows that name an account in the scope of a team's purse, other people's too."""
    sets = MappingProxyType({column: f"REPLACE({column}, :account, :erased)"})
    whose, why = f"{column} LIKE 'team:%' || :account || '%'", "a team's budget"
    return Held(table, whose, Fate.RENAMED, sets, why=why, given=False, owners=owners)


CURSOR = "CASE WHEN gathered_to = :account THEN SUBSTR(gathered_to, 1, 16) ELSE gathered_to END"


def given_by(table: str) -> Held:
    """Rows about others, which name the operator who made them."""
    return Held(
        table,
        "made_by = :person",
        Fate.RENAMED,
        MappingProxyType({"made_by": ":name"}),
        why="who gave it",
        given=False,
    )


HELD: tuple[Held, ...] = (
    # What belongs to turns and conversations, before these.
    scoped("purse", "scope", owners=False),
    scoped("charge", "purse"),
    scoped("turn", "purse"),
    scoped("reservation", "scope"),
    Held(
        "claim",
        "claimed_at < :lately AND key IN (SELECT key FROM turn WHERE account = :account)",
        given=False,
    ),
    Held("reservation", TURN, given=False),
    Held("attachment", TURN, hides=("data",)),
    Held("pdf", TURN, hides=("data",)),
    Held("screening", f"{ACCOUNT} OR {TURN}"),
    Held("kept_question", ACCOUNT, hides=("content",)),
    Held("summary", CONVERSATION),
    Held("owed_summary", CONVERSATION),
    Held("anchor", ACCOUNT),
    Held(
        "charge",
        ACCOUNT,
        Fate.NAMELESS,
        MappingProxyType({"account": "NULL", "turn": "NULL", "purse": "REPLACE(purse, :account, :erased)"}),
        ("purpose", "model", "provider", "tier", "purse"),
        "the ledger of what vendors charged",
    ),
    Held("turn", ACCOUNT, hides=("key", "owner")),
    Held("conversation", ACCOUNT),
    Held("spend", ACCOUNT),
    # What they said to whom, and what they were told.
    Held("notice", ACCOUNT),
    Held("announced", ACCOUNT),
    Held("proposal", ACCOUNT),
    Held("checkout_attempt", ACCOUNT),
    Held("metering", ACCOUNT),
    Held("alert_owed", NAMED),
    Held("code_try", ACCOUNT),
    Held("entry_link", PERSON, hides=("digest",)),
    Held("entry_asked", PERSON),
    Held("admin_session", PERSON, hides=("digest",)),
    # What operators gave them, and what they gave as operators.
    Held("credit_use", ACCOUNT),
    Held("credit", ACCOUNT, hides=("made_by", "note")),
    Held("tier_grant", ACCOUNT, hides=("made_by", "note", "gift")),
    Held("look", ACCOUNT, given=False),
    Held(
        "gift",
        ACCOUNT,
        Fate.NAMELESS,
        MappingProxyType({"account": "NULL"}),
        ("digest", "mode", "tier", "made_by"),
        "a code that was used",
        hides=("digest", "made_by"),
    ),
    *(given_by(table) for table in ("credit", "tier_grant", "gift")),
    Held(
        "announcement",
        "actor = :person OR gathered_to = :account",
        Fate.RENAMED,
        MappingProxyType(
            {
                "actor": "CASE WHEN actor = :person THEN :name ELSE actor END",
                "gathered_to": CURSOR,
            }
        ),
        ("id", "text", "tiers", "platforms", "state"),
        "what was announced to all; its cursor goes back a little",
        given=False,
    ),
    # Teams.
    Held("invite", "owner = :account", hides=("digest",)),
    Held(
        "invite",
        "used_by = :account",
        Fate.NAMELESS,
        MappingProxyType({"used_by": "NULL"}),
        ("digest", "owner", "mode"),
        "another's code, which was used",
        hides=("digest", "owner"),
    ),
    Held("seat", "account = :account OR owner = :account", hides=("account",)),
    Held("team", "owner = :account"),
    # What Stripe knows, and the books.
    Held(
        "stripe_event",
        CUSTOMER,
        Fate.EMPTIED,
        MappingProxyType({"payload": ":nothing"}),
        ("id", "type", "mode", "stripe_customer_id", "status"),
        "that it came, so that it counts once",
        hides=("payload",),
    ),
    renamed("customer", "mode", "stripe_customer_id"),
    renamed("former_customer", "mode", "stripe_customer_id"),
    Held(
        "subscription",
        ACCOUNT,
        Fate.RENAMED,
        MappingProxyType({"account": ":erased", "pay_url": "NULL"}),
        (
            *("mode", "stripe_subscription_id", "stripe_customer_id", "payment_status", "tier", "price"),
            *("pay_interval", "collection_paused", "latest_invoice", "open_invoice", "item", "metered_item"),
            *("schedule", "planned_tier", "planned_interval", "mrr", "currency", "end_reason"),
        ),
        BOOKS,
    ),
    renamed("dispute", "mode", "id", "stripe_customer_id", "charge", "stage"),
    renamed("refund", "mode", "charge", "stripe_customer_id", "invoice"),
    renamed("usage_event", "mode", "turn"),
    renamed("usage_report", "identifier", "mode", "stripe_customer_id", "state", "error"),
    renamed("mrr_movement", "mode", "kind", "delta", "mrr_after", "tier", "currency"),
    renamed("tier_change", "mode", "tier_before", "tier_after", "reason"),
    renamed("funnel", "mode", "step", why=COUNTS),
    renamed("event", "mode", "kind", "platform", "tier", "reason", "model", why=COUNTS),
    # What operators did.
    Held(
        "audit",
        "actor = :person OR subject = :person",
        Fate.RENAMED,
        MappingProxyType(
            {
                "actor": "CASE WHEN actor = :person THEN :name ELSE actor END",
                "subject": "CASE WHEN subject = :person THEN :name ELSE subject END",
            }
        ),
        ("origin", "deed", "detail"),
        "what operators did is only ever added to",
        given=False,
    ),
    Held("account", "id = :account"),
)
"""In the order in which it is done: what names a row goes before it."""

OTHERS_WORDS = frozenset(
    {
        *("turn.prompt", "turn.answer", "summary.text", "account.instructions", "rules.persona"),
        *("local_message.body", "account.member", "local_message.author"),
    }
)
"""Columns in which others may have written a name; what is somebody's own there goes with its row."""

NOBODYS: Mapping[str, str] = {
    "alert": "what needs the operator; a name in it is struck out",
    "brief": "daily reports that are owed, by where they go",
    "circuit": "models that rest",
    "duty": "calls owed to Stripe, by its ids",
    "erased": "keyed hashes of those who were erased, until a period ends",
    "erasure_key": "their key",
    "estimate": "how far estimates of tokens are from counts",
    "install_state": "installations that were begun",
    "installation": "workspaces, and who installed the app there: uninstall it to have that gone",
    "job": "what the clock starts",
    "local_message": "the playground's messages; theirs go, and the bot's answers to them",
    "mrr_day": "sums of what moved the revenue",
    "pause": "what is not answered for a while",
    "purse": "sums of the ledger",
    "reading_turn": "the pace of reading Stripe",
    "reload_asked": "how often the configuration was read anew",
    "rules": "what admins of a place decided",
    "schema_migrations": "the schema",
    "simulated_object": "the simulated Stripe's own; their names in it are replaced",
    "sync_queue": "customers to read, by Stripe's ids",
    "tally": "counts",
    "unrest": "models that come and go",
}
"""Tables without rows of a person's, or whose texts may name one: what is in them, or what is done."""


def statements() -> str:
    """The named statements that follow from this."""
    return "\n".join((*each_held(), *given_rows(), *searches()))


def each_held() -> Iterator[str]:
    """Counting and doing, a pair of statements each."""
    for number, held in enumerate(HELD):
        yield f"-- name: held_{number}\nSELECT COUNT(*) AS found FROM {held.table} WHERE {held.whose};"
        if held.sets:
            sets = ", ".join(f"{column} = {value}" for column, value in held.sets.items())
            yield f"-- name: erase_{number}\nUPDATE {held.table} SET {sets} WHERE {held.whose};"
        else:
            yield f"-- name: erase_{number}\nDELETE FROM {held.table} WHERE {held.whose};"


def given() -> Mapping[str, list[Held]]:
    """What a person is given, by table."""
    tables: dict[str, list[Held]] = {}
    for held in HELD:
        if held.given:
            tables.setdefault(held.table, []).append(held)
    return dict(sorted(tables.items()))


def given_rows() -> Iterator[str]:
    """A statement for each table that a person is given rows of."""
    for table, parts in given().items():
        shape = schema()[table]
        columns = ", ".join(name for name in shape.columns if all(name not in part.hides for part in parts))
        whose = " OR ".join(f"({part.whose})" for part in parts)
        order = ", ".join(shape.key)
        yield (
            f"-- name: given_{table}\nSELECT {columns} FROM {table} WHERE {whose}\n"
            f"ORDER BY {order} LIMIT :most OFFSET :skip;"
        )


def searches() -> Iterator[str]:
    """A statement for each table that has text columns, so that each is read once."""
    for table, columns in searched().items():
        either = " OR ".join(f"{column} LIKE :account OR {column} LIKE :person" for column in columns)
        query = f"SELECT {', '.join(columns)} FROM {table} WHERE {either};"  # noqa: S608 - of the schema
        yield f"-- name: search_{table}\n{query}"


def searched() -> Mapping[str, tuple[str, ...]]:
    """Every text column of the schema, by table."""
    return {table: shape.texts for table, shape in sorted(schema().items()) if shape.texts}
