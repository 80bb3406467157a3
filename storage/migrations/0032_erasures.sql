-- An account that has erased_at stands for somebody who was erased: what the books need is under it, and nobody's name.
ALTER TABLE account ADD COLUMN erased_at BIGINT;

-- What whoever was erased had used by then and does not get anew before until; digest is a keyed hash of the person.
-- trials: `mode:microseconds` of trials that were used, divided by spaces.
CREATE TABLE erased (
    digest TEXT PRIMARY KEY,
    day BIGINT NOT NULL,
    conversations BIGINT NOT NULL,
    month BIGINT NOT NULL,
    cost BIGINT NOT NULL,
    trials TEXT NOT NULL,
    blocked_at BIGINT,
    until BIGINT NOT NULL
);
CREATE INDEX erased_by_end ON erased (until);

-- The key of these hashes, made with the first one and gone with the last.
CREATE TABLE erasure_key (
    number BIGINT PRIMARY KEY,
    secret TEXT NOT NULL
);
