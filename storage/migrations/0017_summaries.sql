-- All that was said up to a turn, itself included, in few words; it serves every branch that passes through the turn.
CREATE TABLE summary (
    turn TEXT PRIMARY KEY REFERENCES turn (id),
    conversation TEXT NOT NULL REFERENCES conversation (id),
    model TEXT NOT NULL,
    text TEXT NOT NULL,
    made_at BIGINT NOT NULL
);
CREATE INDEX summary_by_conversation ON summary (conversation);

-- Conversations to be summed up. A claim moves due_at to the end of its lease; a dead row keeps others out until due_at.
-- asked_* is what the request under way may cost, null while there is none; left behind by a process that was lost,
-- it is charged by whoever claims next.
CREATE TABLE owed_summary (
    conversation TEXT PRIMARY KEY REFERENCES conversation (id),
    tip TEXT NOT NULL,
    model TEXT NOT NULL,
    budget BIGINT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('owed', 'dead')),
    attempts BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    token TEXT NOT NULL,
    asked_provider TEXT,
    asked_input BIGINT,
    asked_output BIGINT,
    asked_cost BIGINT,
    error TEXT NOT NULL
);
CREATE INDEX owed_summary_due ON owed_summary (due_at) WHERE state = 'owed';
CREATE INDEX owed_summary_asked ON owed_summary (asked_provider) WHERE asked_cost IS NOT NULL;
