-- Since when the operator lets a member ask nothing, and why, in the operator's words; null: they may.
ALTER TABLE account ADD COLUMN blocked_at BIGINT;
ALTER TABLE account ADD COLUMN blocked_why TEXT;
CREATE INDEX account_blocked ON account (blocked_at) WHERE blocked_at IS NOT NULL;
-- What is not answered for a while: 'free', 'all' or 'model:NAME'. until is null for one that somebody has to end.
CREATE TABLE pause (
    what TEXT PRIMARY KEY,
    since BIGINT NOT NULL,
    until BIGINT,
    why TEXT NOT NULL
);
