-- Models that are left alone because they kept failing; one that works has no row.
CREATE TABLE circuit (
    name TEXT PRIMARY KEY,
    opened_at BIGINT NOT NULL,
    open_until BIGINT NOT NULL,
    failed BIGINT NOT NULL,
    probe_by TEXT,
    probe_until BIGINT,
    why TEXT NOT NULL
);
