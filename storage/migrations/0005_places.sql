-- What the admins of a Discord server or Slack workspace decided; lists are divided by line breaks, empty is all.
CREATE TABLE rules (
    platform TEXT NOT NULL,
    place TEXT NOT NULL,
    channels TEXT NOT NULL,
    roles TEXT NOT NULL,
    models TEXT NOT NULL,
    model TEXT,
    persona TEXT NOT NULL,
    pool BIGINT,
    PRIMARY KEY (platform, place)
);

-- Where a conversation began to be counted (platform:place), and whether a member of the free tier began it.
ALTER TABLE conversation ADD COLUMN begun_at TEXT;
ALTER TABLE conversation ADD COLUMN begun_free BIGINT NOT NULL DEFAULT 0;
CREATE INDEX conversation_pooled ON conversation (begun_at, day) WHERE begun_free = 1;
