-- The daily report of a day (since 1970, UTC), owed to a destination: mail, or a channel.
CREATE TABLE brief (
    day BIGINT NOT NULL,
    destination TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('owed', 'sent', 'refused', 'dropped')),
    attempts BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    error TEXT NOT NULL,
    PRIMARY KEY (day, destination)
);
