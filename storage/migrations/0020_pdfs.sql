-- PDFs that came with a question, as they are sent to models that take them; turn.prompt has their text, from
-- the character `start` to the one before `stop`. turn.pdfs is how many a turn has, as with images.
ALTER TABLE turn ADD COLUMN pdfs BIGINT NOT NULL DEFAULT 0;

CREATE TABLE pdf (
    turn TEXT NOT NULL REFERENCES turn (id),
    position BIGINT NOT NULL,
    name TEXT NOT NULL,
    pages BIGINT NOT NULL,
    start BIGINT NOT NULL,
    stop BIGINT NOT NULL,
    data BYTEA NOT NULL,
    PRIMARY KEY (turn, position)
);
