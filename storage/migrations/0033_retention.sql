-- When the content of a conversation began to be let go: since then nothing goes on from it. content is 1 as long as
-- any of it may be there.
ALTER TABLE conversation ADD COLUMN emptied_at BIGINT;
ALTER TABLE conversation ADD COLUMN content BIGINT NOT NULL DEFAULT 1;
CREATE INDEX conversation_by_rest ON conversation (last_at, id) WHERE content = 1;
CREATE INDEX stripe_event_payload ON stripe_event (received_at) WHERE LENGTH(payload) > 0;
