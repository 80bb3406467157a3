-- How a member wants to be answered, null for no wish; whether /ask answers them alone; a conversation's own model.
ALTER TABLE account ADD COLUMN instructions TEXT;
ALTER TABLE account ADD COLUMN private BIGINT NOT NULL DEFAULT 0;
ALTER TABLE conversation ADD COLUMN model TEXT;
