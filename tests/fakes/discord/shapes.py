"""The JSON shapes of users, channels, servers and interactions, as Discord sends them."""

from dataclasses import dataclass, field

from tests.fakes.discord.errors import Json

ADMINISTRATOR, MANAGE_CHANNELS, MANAGE_GUILD, MANAGE_ROLES = 1 << 3, 1 << 4, 1 << 5, 1 << 28
VIEW, SEND, ATTACH, HISTORY = 1 << 10, 1 << 11, 1 << 15, 1 << 16
CREATE_THREADS, SEND_IN_THREADS = 1 << 35, 1 << 38
EVERYTHING = (1 << 53) - 1
ORDINARY = EVERYTHING & ~(ADMINISTRATOR | MANAGE_CHANNELS | MANAGE_GUILD | MANAGE_ROLES)
"""What a member may do who manages nothing."""
TEXT_CHANNEL, DM_CHANNEL, GROUP_DM, CATEGORY, PUBLIC_THREAD = 0, 1, 3, 4, 11


@dataclass(eq=False, slots=True)
class User:
    """Somebody on Discord; an admin of the server may do everything in it."""

    id: str
    name: str
    bot: bool = False
    admin: bool = False
    roles: list[str] = field(default_factory=list)


@dataclass(eq=False, slots=True)
class Channel:
    """A channel, thread or category of the server, or the DM channel with one user."""

    id: str
    kind: int
    name: str
    guild: str | None = None
    recipient: User | None = None
    parent: str | None = None
    reachable: bool = True
    """False for a channel in which only the user's own installation of the app is present."""
    owner: str | None = None
    """Who opened a thread."""
    denied: int = 0
    """The permissions that the bot is denied here."""
    archived: bool = False
    """Whether a thread is asleep: no message in it can be edited, and one that is written wakes it."""
    locked: bool = False
    """Whether an archived thread takes no message either."""


def user_json(user: User) -> Json:
    """Return a user object."""
    return {
        "id": user.id,
        "username": user.name,
        "discriminator": "0",
        "global_name": user.name.title(),
        "avatar": None,
        "bot": user.bot,
        "public_flags": 0,
        "flags": 0,
        "primary_guild": None,
    }


def member_json(user: User, *, with_user: bool = True) -> Json:
    """Return a member object; messages carry it without its user."""
    member: Json = {
        "nick": None,
        "avatar": None,
        "roles": list(user.roles),
        "joined_at": "2026-01-01T00:00:00+00:00",
        "premium_since": None,
        "deaf": False,
        "mute": False,
        "flags": 0,
        "pending": False,
        "permissions": str(EVERYTHING if user.admin else ORDINARY),
        "communication_disabled_until": None,
    }
    return {**member, "user": user_json(user)} if with_user else member


def channel_json(channel: Channel) -> Json:
    """Return a channel object."""
    common: Json = {"id": channel.id, "type": channel.kind, "flags": 0, "last_message_id": None}
    if channel.recipient is not None:
        return {**common, "recipients": [user_json(channel.recipient)]}
    if channel.kind == GROUP_DM:
        return {**common, "recipients": [], "name": channel.name, "icon": None, "owner_id": channel.id}
    named = {**common, "guild_id": channel.guild, "name": channel.name, "parent_id": channel.parent}
    named |= {"permissions": str(ORDINARY), "rate_limit_per_user": 0}
    if channel.kind == PUBLIC_THREAD:
        owner = channel.owner or channel.id
        return {**named, "owner_id": owner, "message_count": 0, "member_count": 1, **thread_state(channel)}
    denied = {"id": channel.guild, "type": 0, "allow": "0", "deny": str(channel.denied)}
    overwrites = [denied] if channel.denied else []
    return {**named, "position": 0, "permission_overwrites": overwrites, "nsfw": False, "topic": None}


def thread_state(thread: Channel) -> Json:
    """Return what only threads tell."""
    state = {
        "archived": thread.archived,
        "archive_timestamp": "2026-01-01T00:00:00+00:00",
        "auto_archive_duration": 1440,
        "locked": thread.locked,
        "create_timestamp": "2026-01-01T00:00:00+00:00",
    }
    return {"total_message_sent": 0, "thread_metadata": state}


def role_json(role: str, name: str, bot: str | None = None) -> Json:
    """Return a role; with `bot` the one that Discord made for that bot."""
    plain = {"primary_color": 0, "secondary_color": None, "tertiary_color": None}
    made: Json = {"managed": True, "tags": {"bot_id": bot}} if bot else {"managed": False}
    return {
        "id": role,
        "name": name,
        "icon": None,
        "unicode_emoji": None,
        "permissions": str(ORDINARY),
        "position": 0,
        "color": 0,
        "colors": plain,
        "hoist": False,
        "mentionable": False,
        "flags": 0,
        **made,
    }


GUILD_DEFAULTS: Json = {
    "name": "Loopback",
    "verification_level": 0,
    "default_message_notifications": 0,
    "explicit_content_filter": 0,
    "mfa_level": 0,
    "premium_tier": 0,
    "nsfw_level": 0,
    "afk_timeout": 300,
    "system_channel_flags": 0,
    "preferred_locale": "en-US",
    "premium_progress_bar_enabled": False,
    "joined_at": "2026-01-01T00:00:00+00:00",
    "large": False,
    "unavailable": False,
}
GUILD_LISTS = (
    "emojis", "features", "stickers", "voice_states", "presences",
    "stage_instances", "guild_scheduled_events", "soundboard_sounds",
)  # fmt: skip
GUILD_NOTHINGS = (
    "icon", "splash", "discovery_splash", "afk_channel_id", "application_id", "system_channel_id",
    "rules_channel_id", "vanity_url_code", "description", "banner",
)  # fmt: skip


def own_guild_json(guild: str, granted: int) -> Json:
    """A server as the list of one's own servers has it."""
    return {
        "id": guild,
        "name": "Test server",
        "icon": None,
        "banner": None,
        "owner": False,
        "permissions": str(granted),
        "features": [],
    }


def guild_json(guild: str, channels: list[Channel], members: list[User], roles: list[Json]) -> Json:
    """Return the server as GUILD_CREATE brings it."""
    plain = {TEXT_CHANNEL, CATEGORY}
    return {
        **GUILD_DEFAULTS,
        **{name: [] for name in GUILD_LISTS},
        **dict.fromkeys(GUILD_NOTHINGS),
        "id": guild,
        "owner_id": members[0].id,
        "roles": [role_json(guild, "@everyone"), *roles],
        "members": [member_json(user) for user in members],
        "member_count": len(members),
        "channels": [channel_json(channel) for channel in channels if channel.kind in plain],
        "threads": [channel_json(channel) for channel in channels if channel.kind == PUBLIC_THREAD],
    }


GATEWAY_ONLY = frozenset({"members", "member_count", "channels", "threads"})
ASKED_NOTHINGS = (
    "home_header", "incidents_data", "public_updates_channel_id", "safety_alerts_channel_id",
    "widget_channel_id",
)  # fmt: skip
ASKED_DEFAULTS: Json = {
    "max_members": 500_000,
    "max_presences": None,
    "max_stage_video_channel_users": 50,
    "max_video_channel_users": 25,
    "nsfw": False,
    "premium_subscription_count": 0,
    "region": "deprecated",
    "widget_enabled": False,
}


def asked_guild_json(guild: str, bot: User, roles: list[Json]) -> Json:
    """Return the server as it is when it is asked for: without what only the gateway brings."""
    told = guild_json(guild, [], [bot], roles).items()
    known = {name: value for name, value in told if name not in GATEWAY_ONLY}
    return {**known, **ASKED_DEFAULTS, **dict.fromkeys(ASKED_NOTHINGS), "owner_id": guild}


def application_json(app: str, owner: User) -> Json:
    """Return the bot's application."""
    return {
        "id": app,
        "name": "loopback",
        "icon": None,
        "description": "",
        "summary": "",
        "type": None,
        "bot_public": True,
        "bot_require_code_grant": False,
        "verify_key": "00" * 32,
        "flags": 0,
        "flags_new": "0",
        "owner": user_json(owner),
        "team": None,
        "tags": [],
        "redirect_uris": [],
        "rpc_origins": [],
        "interactions_endpoint_url": None,
        "role_connections_verification_url": None,
        "approximate_guild_count": 1,
        "approximate_user_install_count": 0,
        "approximate_user_authorization_count": 0,
        "explicit_content_filter": 0,
        "eligible_oauth2_scopes": [],
    }
