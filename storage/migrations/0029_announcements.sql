-- Whether a member wants to hear what the operator announces.
ALTER TABLE account ADD COLUMN announcements BIGINT NOT NULL DEFAULT 1;
-- The operator's own words to members. A draft is shown to its operator and sent to nobody. Receivers are gathered in
-- the order of their accounts' ids, up to gathered_to; gathering is 0 once there are no more.
CREATE TABLE announcement (
    id TEXT PRIMARY KEY,
    text TEXT NOT NULL,
    actor TEXT NOT NULL,
    tiers TEXT NOT NULL,
    platforms TEXT NOT NULL,
    seen_since BIGINT NOT NULL,
    receivers BIGINT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('draft', 'sending', 'sent', 'stopped')),
    made_at BIGINT NOT NULL,
    confirmed_at BIGINT,
    gathering BIGINT NOT NULL,
    gathered_to TEXT
);
CREATE INDEX announcement_sending ON announcement (confirmed_at) WHERE state = 'sending';
CREATE TABLE announced (
    id TEXT PRIMARY KEY,
    announcement TEXT NOT NULL REFERENCES announcement (id),
    account TEXT NOT NULL REFERENCES account (id),
    platform TEXT NOT NULL,
    workspace TEXT NOT NULL,
    member TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('owed', 'sent', 'opted_out', 'unreachable', 'failed', 'stopped')),
    attempts BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    sent_at BIGINT,
    UNIQUE (announcement, account)
);
CREATE INDEX announced_owed ON announced (platform, due_at, id) WHERE state = 'owed';
CREATE INDEX announced_by_account ON announced (account);
