-- What the asker thought of an answer: 1 good, 0 bad, null if they did not say.
ALTER TABLE turn ADD COLUMN good BIGINT;
