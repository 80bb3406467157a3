-- name: drop_older_briefs
UPDATE brief SET state = 'dropped' WHERE state = 'owed' AND day < :day;

-- Not one that is older than what was owed before: the hour or the zone was changed since.
-- name: owe_brief
INSERT INTO brief (day, destination, state, attempts, due_at, error)
SELECT :day, :destination, 'owed', 0, :now, ''
WHERE NOT EXISTS (SELECT 1 FROM brief WHERE destination = :destination AND day > :day)
ON CONFLICT DO NOTHING;

-- The outer conditions repeat the inner ones: PostgreSQL checks only them again after waiting for a rival.
-- name: claim_brief
UPDATE brief SET attempts = attempts + 1, due_at = :lease_until
WHERE state = 'owed' AND due_at <= :now
    AND (day, destination) IN (
        SELECT day, destination
        FROM brief
        WHERE state = 'owed' AND due_at <= :now AND :destinations LIKE '%,' || destination || ',%'
        ORDER BY day, due_at, destination
        LIMIT 1
    )
RETURNING day, destination, attempts - 1 AS attempts;

-- name: end_brief
UPDATE brief SET state = :state, error = :error WHERE day = :day AND destination = :destination AND state = 'owed';

-- name: brief_later
UPDATE brief SET due_at = :due, error = :error WHERE day = :day AND destination = :destination AND state = 'owed';

-- name: forget_briefs
DELETE FROM brief WHERE day < :before;
