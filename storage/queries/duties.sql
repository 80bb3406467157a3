-- name: owe_duty
INSERT INTO duty (id, kind, mode, subject, state, attempts, due_at, error)
VALUES (:id, :kind, :mode, :subject, 'owed', :attempts, :due, '')
ON CONFLICT (id) DO NOTHING;

-- A claim moves due_at to the end of its lease. The outer conditions repeat the inner ones: PostgreSQL checks
-- only them again after waiting for a rival.
-- name: claim_duties
UPDATE duty SET attempts = attempts + 1, due_at = :lease_until
WHERE state = 'owed' AND due_at <= :now
    AND id IN (
        SELECT id
        FROM duty
        WHERE mode = :mode AND state = 'owed' AND due_at <= :now
        ORDER BY due_at, id
        LIMIT :most
    )
RETURNING id, kind, mode, subject, attempts - 1 AS attempts;

-- name: duty_done
UPDATE duty SET state = 'done', done_at = :now, error = '' WHERE id = :id AND state <> 'done';

-- name: duty_later
UPDATE duty SET due_at = :due, error = :error WHERE id = :id AND state = 'owed';

-- name: duty_dead
UPDATE duty SET state = 'dead', error = :error WHERE id = :id AND state = 'owed';

-- name: drop_duty
DELETE FROM duty WHERE id = :id AND state = 'owed';
