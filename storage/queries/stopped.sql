-- name: pauses
SELECT what, since, until, why FROM pause WHERE until IS NULL OR until > :now ORDER BY what;

-- name: pause
INSERT INTO pause (what, since, until, why) VALUES (:what, :since, :until, :why)
ON CONFLICT (what) DO UPDATE SET since = excluded.since, until = excluded.until, why = excluded.why;

-- name: resume
DELETE FROM pause WHERE what = :what
RETURNING until;

-- name: block
UPDATE account SET blocked_at = COALESCE(blocked_at, :since), blocked_why = :why WHERE id = :id;

-- name: unblock
UPDATE account SET blocked_at = NULL, blocked_why = NULL WHERE id = :id AND blocked_at IS NOT NULL;

-- name: blocked
SELECT platform, workspace, member, blocked_at, blocked_why
FROM account
WHERE blocked_at IS NOT NULL
ORDER BY blocked_at DESC, id;
