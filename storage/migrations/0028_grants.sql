-- Tiers that operators give without any payment, numbered within account and mode. Those of a gift name its digest.
CREATE TABLE tier_grant (
    account TEXT NOT NULL REFERENCES account (id),
    mode TEXT NOT NULL,
    number BIGINT NOT NULL,
    tier TEXT NOT NULL,
    since BIGINT NOT NULL,
    until BIGINT NOT NULL,
    made_at BIGINT NOT NULL,
    made_by TEXT NOT NULL,
    note TEXT NOT NULL,
    gift TEXT,
    revoked_at BIGINT,
    PRIMARY KEY (account, mode, number)
);
CREATE INDEX tier_grant_by_end ON tier_grant (mode, until);

-- Codes that give a tier for some days, by their SHA-256; account is who used it.
CREATE TABLE gift (
    digest TEXT PRIMARY KEY,
    mode TEXT NOT NULL,
    tier TEXT NOT NULL,
    days BIGINT NOT NULL,
    made_at BIGINT NOT NULL,
    made_by TEXT NOT NULL,
    expires_at BIGINT,
    voided_at BIGINT,
    account TEXT REFERENCES account (id),
    used_at BIGINT
);
CREATE INDEX gift_by_time ON gift (mode, made_at);
CREATE INDEX gift_by_account ON gift (account) WHERE account IS NOT NULL;

-- Conversations beyond the daily limit that operators give, numbered within account and mode.
CREATE TABLE credit (
    account TEXT NOT NULL REFERENCES account (id),
    mode TEXT NOT NULL,
    number BIGINT NOT NULL,
    amount BIGINT NOT NULL,
    until BIGINT NOT NULL,
    made_at BIGINT NOT NULL,
    made_by TEXT NOT NULL,
    note TEXT NOT NULL,
    revoked_at BIGINT,
    PRIMARY KEY (account, mode, number)
);

-- Which credit a conversation was begun on. It outlives its conversation, or the credit would come back.
CREATE TABLE credit_use (
    conversation TEXT PRIMARY KEY,
    account TEXT NOT NULL REFERENCES account (id),
    mode TEXT NOT NULL,
    number BIGINT NOT NULL,
    used_at BIGINT NOT NULL
);
CREATE INDEX credit_use_by_account ON credit_use (account, mode, number);

-- When time alone changes something about an account next; accounts without a customer have such moments, too.
CREATE TABLE look (
    account TEXT NOT NULL REFERENCES account (id),
    mode TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (account, mode)
);
CREATE INDEX look_by_time ON look (mode, at);
INSERT INTO look (account, mode, at) SELECT account, mode, look_at FROM customer WHERE look_at IS NOT NULL;
DROP INDEX customer_by_look;
ALTER TABLE customer DROP COLUMN look_at;
