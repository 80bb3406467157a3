-- name: lock_account
INSERT INTO account (id, platform, workspace, member, model, created_at, seen_at)
VALUES (:id, :platform, :workspace, :member, NULL, :now, :now)
ON CONFLICT (platform, workspace, member) DO UPDATE SET seen_at = excluded.seen_at
RETURNING id, platform, workspace, member, model, created_at;

-- name: lock_account_id
UPDATE account SET seen_at = seen_at WHERE id = :id
RETURNING id, platform, workspace, member, model, created_at;

-- name: find_account
SELECT id, platform, workspace, member, model, created_at
FROM account
WHERE platform = :platform AND workspace = :workspace AND member = :member;

-- name: set_model
UPDATE account SET model = :model WHERE id = :id;
