-- Questions that a limit stopped, sealed with a key that is not in the database; place is the channel they were
-- asked in, turn the one that answers them now. Rows live for a day.
CREATE TABLE kept_question (
    id TEXT PRIMARY KEY,
    account TEXT NOT NULL REFERENCES account (id),
    place TEXT NOT NULL,
    content BYTEA NOT NULL,
    asked_at BIGINT NOT NULL,
    until BIGINT NOT NULL,
    turn TEXT
);
CREATE INDEX kept_question_of_account ON kept_question (account, asked_at);
CREATE INDEX kept_question_by_end ON kept_question (until);
CREATE INDEX kept_question_of_turn ON kept_question (turn) WHERE turn IS NOT NULL;
