"""How Slack refuses a call."""

from __future__ import annotations

from tests.fakes.slack.state import Json

BUGS = frozenset(
    {
        "unknown_method",
        "invalid_arguments",
        "invalid_blocks",
        "invalid_blocks_format",
        "invalid_chunks",
        "invalid_metadata_format",
        "markdown_text_conflict",
        "missing_recipient_team_id",
        "missing_recipient_user_id",
        "missing_scope",
        "msg_blocks_too_long",
        "msg_blocks_too_many",
        "msg_too_long",
        "no_text",
        "streaming_mode_mismatch",
        "not_allowed_token_type",
        "thread_not_found",
        "users_list_not_supplied",
    }
)
"""Refusals that a correct app never meets: each becomes a finding."""


class SlackError(Exception):
    """A call that Slack answers with `ok: false`."""

    def __init__(self, code: str, *details: str, **more: object) -> None:
        super().__init__(code, *details)
        self.code = code
        self.details = details
        self.more = more

    def body(self) -> Json:
        """The JSON answer."""
        answer: Json = {"ok": False, "error": self.code, **self.more}
        if self.details:
            answer["response_metadata"] = {"messages": list(self.details)}
        return answer
