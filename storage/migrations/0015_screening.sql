-- What was looked at before a model sees it and what was found, never the text; a question has the id of its turn.
CREATE TABLE screening (
    id TEXT PRIMARY KEY,
    about TEXT NOT NULL,
    account TEXT REFERENCES account (id),
    turn TEXT REFERENCES turn (id),
    screen TEXT NOT NULL,
    finding TEXT NOT NULL,
    categories TEXT NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX screening_at ON screening (at);
CREATE INDEX screening_settings ON screening (account, at) WHERE turn IS NULL;
