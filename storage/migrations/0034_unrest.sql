-- Models that go down again and again, and what the operator was told of it; those that are well have no row.
CREATE TABLE unrest (
    name TEXT PRIMARY KEY,
    since BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    down INTEGER NOT NULL,
    downs BIGINT NOT NULL,
    said TEXT NOT NULL,
    words BIGINT NOT NULL
);
