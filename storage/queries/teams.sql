-- name: membership
SELECT
    s.owner,
    (
        SELECT COUNT(*) FROM seat AS before
        WHERE before.owner = s.owner AND before.mode = s.mode AND before.number < s.number
    ) + 2 AS place
FROM seat AS s
WHERE s.mode = :mode AND s.account = :account;

-- name: lock_team
INSERT INTO team (owner, mode, last_number) VALUES (:owner, :mode, 1)
ON CONFLICT (owner, mode) DO UPDATE SET last_number = team.last_number;

-- name: team_members
SELECT s.account, s.number, s.joined_at, a.platform, a.workspace, a.member
FROM seat AS s JOIN account AS a ON a.id = s.account
WHERE s.owner = :owner AND s.mode = :mode
ORDER BY s.number;

-- name: next_number
UPDATE team SET last_number = last_number + 1 WHERE owner = :owner AND mode = :mode
RETURNING last_number;

-- name: seat
INSERT INTO seat (mode, account, owner, number, joined_at) VALUES (:mode, :account, :owner, :number, :now)
ON CONFLICT (mode, account) DO NOTHING;

-- name: unseat
DELETE FROM seat WHERE mode = :mode AND account = :account AND owner = :owner;

-- name: seated
SELECT account FROM seat WHERE mode = :mode AND account > :after ORDER BY account LIMIT :most;

-- name: conversations_paid
SELECT COUNT(DISTINCT conversation) AS counted
FROM turn
WHERE account = :account AND started_at >= :since AND purse = :purse AND state IN ('held', 'settled');

-- name: account_person
SELECT platform, workspace, member FROM account WHERE id = :id;

-- name: save_invite
INSERT INTO invite (digest, owner, mode, created_at, expires_at)
VALUES (:digest, :owner, :mode, :created_at, :expires_at);

-- name: invite
SELECT digest, owner, mode, created_at, expires_at, used_at FROM invite WHERE digest = :digest AND mode = :mode;

-- name: use_invite
UPDATE invite SET used_at = :now, used_by = :account
WHERE digest = :digest AND used_at IS NULL AND expires_at > :now;

-- name: invited_since
SELECT COUNT(*) AS made FROM invite WHERE owner = :owner AND mode = :mode AND created_at >= :since;

-- name: forget_invites
DELETE FROM invite WHERE owner = :owner AND mode = :mode AND expires_at < :before;

-- name: try_code
INSERT INTO code_try (account, since, tries) VALUES (:account, :now, 1)
ON CONFLICT (account) DO UPDATE SET
    tries = CASE WHEN code_try.since < :since THEN 1 ELSE code_try.tries + 1 END,
    since = CASE WHEN code_try.since < :since THEN excluded.since ELSE code_try.since END
WHERE code_try.since < :since OR code_try.tries < :most;
