-- name: owe_summary
INSERT INTO owed_summary (conversation, tip, model, budget, state, attempts, due_at, token, error)
VALUES (:conversation, :tip, :model, :budget, 'owed', 0, :now, '', '')
ON CONFLICT (conversation) DO UPDATE
SET tip = excluded.tip, model = excluded.model, budget = excluded.budget, state = 'owed', attempts = 0,
    due_at = excluded.due_at, token = '', error = ''
WHERE owed_summary.state = 'dead' AND owed_summary.due_at <= excluded.due_at;

-- The outer conditions repeat the inner ones: PostgreSQL checks only them again after waiting for a rival.
-- name: claim_summary
UPDATE owed_summary SET attempts = attempts + 1, due_at = :lease_until, token = :token
WHERE state = 'owed' AND due_at <= :now
    AND conversation = (
        SELECT conversation
        FROM owed_summary
        WHERE state = 'owed' AND due_at <= :now
            AND NOT EXISTS (
                SELECT 1
                FROM conversation
                JOIN account ON account.id = conversation.account
                WHERE conversation.id = owed_summary.conversation AND account.blocked_at IS NOT NULL
            )
        ORDER BY due_at, conversation
        LIMIT 1
    )
RETURNING conversation, tip, model, budget, attempts - 1 AS attempts, token, asked_provider, asked_input,
    asked_output, asked_cost;

-- name: asking_summary
UPDATE owed_summary
SET asked_provider = :provider, asked_input = :input, asked_output = :output, asked_cost = :cost
WHERE conversation = :conversation AND token = :token;

-- name: end_summary
DELETE FROM owed_summary WHERE conversation = :conversation AND token = :token;

-- name: keep_summary
INSERT INTO summary (turn, conversation, model, text, made_at) VALUES (:turn, :conversation, :model, :text, :now)
ON CONFLICT (turn) DO UPDATE SET model = excluded.model, text = excluded.text, made_at = excluded.made_at;

-- name: put_summary_off
UPDATE owed_summary
SET state = :state, due_at = :due, error = :error, asked_provider = NULL, asked_input = NULL, asked_output = NULL,
    asked_cost = NULL
WHERE conversation = :conversation AND token = :token;
