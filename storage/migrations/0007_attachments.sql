-- Images that came with a question, as the model was shown them; turn.images is how many a turn has, so that
-- histories without any are read as before.
ALTER TABLE turn ADD COLUMN images BIGINT NOT NULL DEFAULT 0;

CREATE TABLE attachment (
    turn TEXT NOT NULL REFERENCES turn (id),
    position BIGINT NOT NULL,
    name TEXT NOT NULL,
    media_type TEXT NOT NULL,
    width BIGINT NOT NULL,
    height BIGINT NOT NULL,
    data BYTEA NOT NULL,
    PRIMARY KEY (turn, position)
);
