"""Text on its way to and from Slack: no model can ping anybody, nothing a member writes is garbled."""

from __future__ import annotations

import re

CROWD = r"!(?:channel|here|everyone|subteam\^)"
PING = rf"{CROWD}|@[UW][A-Z0-9]{{4,}}[|>]"
CROWDS = re.compile(rf"<(?={CROWD})")
PINGS = re.compile(rf"<(?={PING})")
"""The beginning of what Slack turns into a ping."""
LIVE = re.compile(rf"<(?={PING}|#C[A-Z0-9]{{4,}}[|>])")
"""The same, or into a channel link."""
ESCAPED_CHANNEL = re.compile(r"&lt;(#[CG][A-Z0-9]{4,})&gt;")
WORD_JOINER = "\u2060"
CODE = re.compile(
    r"^ {0,3}(?P<fence>`{3,}|~{3,})[^\n]*(?:\n.*?(?:^ {0,3}(?P=fence)[`~]*[ \t]*$|\Z)|\Z)|`[^`\n]+`",
    re.MULTILINE | re.DOTALL,
)
"""Fenced blocks, the last one perhaps without its end, and code within a line."""
NAMED_LINK = re.compile(
    r"\[(?P<label>[^\[\]\n]{1,300})\]\((?P<url>[a-zA-Z][\w+.-]*:[^\s()<>]+(?:\([^\s()]*\)[^\s()<>]*)*)"
    r"(?P<title>\s+\"[^\"\n]*\")?\)"
    r"|<(?P<bare>[a-zA-Z][\w+.-]*:[^\s|<>]+)\|(?P<name>[^<>\n]{1,300})>"
)
"""A link whose words are not its address, in Markdown or in Slack's own markup."""
HOST = re.compile(r"//(?:[^/?#]*@)?(?P<host>[^/?#]+)")
HOST_LIMIT = 60
HOSTS_LIMIT = 1_400
"""Characters that the hosts of a text's links may add to it; links beyond them show their whole address."""
UNFINISHED = re.compile(
    r"(?:\[[^\[\]\n]{0,300}(?:\](?:\([^()\n]{0,500})?)?|<[^<>\s]{0,500}|`+[^`\n]{0,300})\Z"
)
"""What may yet become a link, a mention or code when the text goes on."""
LINK = re.compile(r"<(?P<url>(?:https?|mailto|tel):[^|>]+)(?:\|(?P<label>[^>]*))?>")
CHANNEL = re.compile(r"<#(?P<id>\w+)(?:\|(?P<name>[^>]*))?>")
WORDS = re.compile(r".*(?:\s|[^\x00-\x7f])(?=\S)", re.DOTALL)
"""All but the last word, which may grow, and spaces, which may end a page; Chinese parts no words."""
FALLBACK_LIMIT = 4_000
"""Longest `text` that chat.update takes (msg_too_long)."""


def harmless(text: str, *, channels: bool = False, people: bool = False) -> str:
    """Markdown whose mentions are dead, by one invisible character each, and whose links say where they lead.

    `channels`: links to channels live, as they may in our own words; `people`: mentions of one person, too.
    What is done to a text's beginning does not change as the text goes on, but for its `UNFINISHED` end.
    """
    room = HOSTS_LIMIT
    done, at = [], 0

    def told(found: re.Match[str]) -> str:
        nonlocal room
        shown = frank(found, room)
        room -= max(0, len(shown) - len(found[0]))
        return shown

    for code in CODE.finditer(text):
        done += [NAMED_LINK.sub(told, text[at : code.start()]), code[0]]
        at = code.end()
    done.append(NAMED_LINK.sub(told, text[at:]))
    dead = CROWDS if people else PINGS if channels else LIVE
    return dead.sub(f"<{WORD_JOINER}", "".join(done))


def frank(link: re.Match[str], room: int) -> str:
    """A named link with its host beside the name, in at most `room` characters more."""
    url, label = link["url"] or link["bare"], link["label"] or link["name"]
    found = HOST.search(url)
    host = found["host"] if found else url
    if host.casefold() in label.casefold():
        return link[0] if link["url"] else f"[{label}]({url})"
    named = f"[{label} ({host[-HOST_LIMIT:]})]({url}{link['title'] or ''})"
    return named if len(named) - len(link[0]) <= room else f"{label} {url}"


def finished(text: str) -> str:
    """As much of a growing text as will stay as it is: whole words, and no link or code without its end."""
    found = WORDS.match(UNFINISHED.sub("", text))
    return found[0] if found else ""


def escape(text: str) -> str:
    """Text in which nothing is markup (Slack's three control characters)."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def unescape(text: str) -> str:
    """What was typed, from what Slack sends for it."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def fallback(text: str, *, channels: bool = False) -> str:
    """What notifications and screen readers get for a Markdown text: its beginning, escaped, never empty.

    `channels` as for `harmless`.
    """
    whole = escape(text[: FALLBACK_LIMIT * 3 // 4])
    shown = (whole if len(whole) <= FALLBACK_LIMIT else escape(text[: FALLBACK_LIMIT // 6])) or "…"
    return ESCAPED_CHANNEL.sub(r"<\1>", shown) if channels else shown


def typed(text: str, bot: str, *, channels: bool = False) -> str:
    """What a member meant: without the mention of us, with links and, unless wanted, `channels` as words."""
    without = re.sub(rf"<@{bot}(?:\|[^>]*)?>", " ", text, count=1)
    named = without if channels else CHANNEL.sub(lambda found: f"#{found['name'] or found['id']}", without)
    return unescape(LINK.sub(_link, named)).strip()


def _link(found: re.Match[str]) -> str:
    url, label = found["url"], found["label"]
    if not label or label in url:
        return url.removeprefix("mailto:").removeprefix("tel:")
    return f"{label} ({url})"
