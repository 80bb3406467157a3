-- A team is the account that pays for it; its row is locked by whoever changes who is in it.
CREATE TABLE team (
    owner TEXT NOT NULL REFERENCES account (id),
    mode TEXT NOT NULL,
    last_number BIGINT NOT NULL,
    PRIMARY KEY (owner, mode)
);

-- Who joined a team, each one at most; the owner has number 1 and no row, numbers are never given twice.
CREATE TABLE seat (
    mode TEXT NOT NULL,
    account TEXT NOT NULL REFERENCES account (id),
    owner TEXT NOT NULL REFERENCES account (id),
    number BIGINT NOT NULL,
    joined_at BIGINT NOT NULL,
    PRIMARY KEY (mode, account)
);
CREATE UNIQUE INDEX seat_by_team ON seat (owner, mode, number);

-- Codes to join with, by their SHA-256; one is used once.
CREATE TABLE invite (
    digest TEXT PRIMARY KEY,
    owner TEXT NOT NULL REFERENCES account (id),
    mode TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT,
    used_by TEXT REFERENCES account (id)
);
CREATE INDEX invite_by_team ON invite (owner, mode, created_at);

-- How often an account tried to join with a code since a moment.
CREATE TABLE code_try (
    account TEXT PRIMARY KEY REFERENCES account (id),
    since BIGINT NOT NULL,
    tries BIGINT NOT NULL
);
