-- name: grants
SELECT account, mode, number, tier, since, until, made_at, made_by, note, gift, revoked_at
FROM tier_grant
WHERE account = :account AND mode = :mode
ORDER BY number;

-- name: add_grant
INSERT INTO tier_grant (account, mode, number, tier, since, until, made_at, made_by, note, gift)
SELECT :account, :mode, COALESCE(MAX(number), 0) + 1, :tier, :since, :until, :made_at, :made_by, :note, :gift
FROM tier_grant
WHERE account = :account AND mode = :mode
RETURNING number;

-- name: revoke_grant
UPDATE tier_grant SET revoked_at = :now
WHERE account = :account AND mode = :mode AND number = :number AND revoked_at IS NULL AND until > :now;

-- name: granted_accounts
SELECT DISTINCT account
FROM tier_grant
WHERE mode = :mode AND until > :now AND since <= :now AND revoked_at IS NULL AND account > :after
ORDER BY account
LIMIT :most;

-- name: save_gift
INSERT INTO gift (digest, mode, tier, days, made_at, made_by, expires_at)
VALUES (:digest, :mode, :tier, :days, :made_at, :made_by, :expires_at);

-- name: gift
SELECT g.digest, g.mode, g.tier, g.days, g.made_at, g.made_by, g.expires_at, g.voided_at, g.account, g.used_at,
    a.platform, a.workspace, a.member
FROM gift AS g LEFT JOIN account AS a ON a.id = g.account
WHERE g.digest = :digest AND g.mode = :mode;

-- name: gifts
SELECT g.digest, g.mode, g.tier, g.days, g.made_at, g.made_by, g.expires_at, g.voided_at, g.account, g.used_at,
    a.platform, a.workspace, a.member
FROM gift AS g LEFT JOIN account AS a ON a.id = g.account
WHERE g.mode = :mode
ORDER BY g.made_at DESC, g.digest
LIMIT :most;

-- name: use_gift
UPDATE gift SET used_at = :now, account = :account
WHERE digest = :digest AND used_at IS NULL AND voided_at IS NULL AND (expires_at IS NULL OR expires_at > :now);

-- name: void_gift
UPDATE gift SET voided_at = :now
WHERE mode = :mode AND SUBSTR(digest, 1, 8) = :name AND used_at IS NULL AND voided_at IS NULL
RETURNING digest, mode, tier, days, made_at, made_by, expires_at, voided_at, account, used_at, NULL AS platform;

-- A conversation that lost all its turns gives its credit back; one that was erased does not.
-- name: credits
SELECT c.account, c.mode, c.number, c.amount, c.until, c.made_at, c.made_by, c.note, c.revoked_at,
    (
        SELECT COUNT(*)
        FROM credit_use AS u LEFT JOIN conversation AS v ON v.id = u.conversation
        WHERE u.account = c.account AND u.mode = c.mode AND u.number = c.number AND COALESCE(v.live_turns, 1) > 0
    ) AS used
FROM credit AS c
WHERE c.account = :account AND c.mode = :mode
ORDER BY c.number;

-- name: add_credit
INSERT INTO credit (account, mode, number, amount, until, made_at, made_by, note)
SELECT :account, :mode, COALESCE(MAX(number), 0) + 1, :amount, :until, :made_at, :made_by, :note
FROM credit
WHERE account = :account AND mode = :mode
RETURNING number;

-- name: revoke_credit
UPDATE credit SET revoked_at = :now
WHERE account = :account AND mode = :mode AND number = :number AND revoked_at IS NULL AND until > :now;

-- name: begin_on
INSERT INTO credit_use (conversation, account, mode, number, used_at)
VALUES (:conversation, :account, :mode, :number, :now)
ON CONFLICT (conversation) DO UPDATE SET
    mode = excluded.mode, number = excluded.number, used_at = excluded.used_at;

-- name: begin_within
DELETE FROM credit_use WHERE conversation = :conversation;
