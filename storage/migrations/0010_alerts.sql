-- What the operator has to be told, each key once; told_at is null until somebody was.
CREATE TABLE alert (
    key TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail TEXT NOT NULL,
    at BIGINT NOT NULL,
    told_at BIGINT
);
CREATE INDEX alert_untold ON alert (at) WHERE told_at IS NULL;
