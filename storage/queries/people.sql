-- name: lock_account
INSERT INTO account (id, platform, workspace, member, model, created_at, seen_at)
VALUES (:id, :platform, :workspace, :member, NULL, :now, :now)
ON CONFLICT (platform, workspace, member) DO UPDATE SET seen_at = excluded.seen_at
RETURNING id, platform, workspace, member, model, created_at, instructions, private, announcements, blocked_at, erased_at,
    (SELECT COUNT(*) FROM pause WHERE until IS NULL OR until > :now) AS pauses;

-- name: lock_account_id
UPDATE account SET seen_at = seen_at WHERE id = :id
RETURNING id, platform, workspace, member, model, created_at, instructions, private, announcements, blocked_at, erased_at,
    0 AS pauses;

-- name: find_account
SELECT id, platform, workspace, member, model, created_at, instructions, private, announcements, blocked_at, erased_at,
    0 AS pauses
FROM account
WHERE platform = :platform AND workspace = :workspace AND member = :member;

-- name: set_model
UPDATE account SET model = :model WHERE id = :id;

-- name: set_instructions
UPDATE account SET instructions = :instructions WHERE id = :id;

-- name: set_private
UPDATE account SET private = :private WHERE id = :id;
