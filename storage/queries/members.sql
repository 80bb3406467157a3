-- name: dearest
SELECT s.account, s.requests, s.whole, a.platform, a.workspace, a.member, a.seen_at
FROM spend s LEFT JOIN account a ON a.id = s.account
WHERE s.month = :month
ORDER BY s.whole DESC, s.account DESC
LIMIT :most OFFSET :skip;

-- name: busiest
SELECT s.account, s.requests, s.whole, a.platform, a.workspace, a.member, a.seen_at
FROM spend s LEFT JOIN account a ON a.id = s.account
WHERE s.month = :month
ORDER BY s.requests DESC, s.account DESC
LIMIT :most OFFSET :skip;

-- name: dearest_behind
SELECT s.account, s.requests, s.whole, a.platform, a.workspace, a.member, a.seen_at
FROM spend s LEFT JOIN account a ON a.id = s.account
WHERE s.month = :month AND (s.whole, s.account) < (:amount, :account)
ORDER BY s.whole DESC, s.account DESC
LIMIT :most;

-- name: busiest_behind
SELECT s.account, s.requests, s.whole, a.platform, a.workspace, a.member, a.seen_at
FROM spend s LEFT JOIN account a ON a.id = s.account
WHERE s.month = :month AND (s.requests, s.account) < (:amount, :account)
ORDER BY s.requests DESC, s.account DESC
LIMIT :most;

-- name: dearest_of_others
SELECT s.account, s.requests, s.whole, a.platform, a.workspace, a.member, a.seen_at
FROM spend s LEFT JOIN account a ON a.id = s.account
WHERE s.month = :month
    AND NOT EXISTS (SELECT 1 FROM mrr_movement m WHERE m.account = s.account AND m.mode = :mode)
    AND NOT EXISTS (
        SELECT 1
        FROM usage_event u
        WHERE u.account = s.account AND u.mode = :mode AND u.used_at >= :since AND u.used_at < :until
    )
ORDER BY s.whole DESC, s.account DESC
LIMIT :most OFFSET :skip;

-- name: costs_of_payers
SELECT p.account, s.requests, s.whole
FROM (
    SELECT account FROM mrr_movement WHERE mode = :mode
    UNION SELECT account FROM usage_event WHERE mode = :mode AND used_at >= :since AND used_at < :until
) AS p
    JOIN spend s ON s.account = p.account AND s.month = :month;

-- name: costs_of
SELECT a.id AS account, COALESCE(s.requests, 0) AS requests, COALESCE(s.whole, 0) AS whole,
    a.platform, a.workspace, a.member, a.seen_at
FROM account a LEFT JOIN spend s ON s.account = a.id AND s.month = :month
WHERE a.id = :account;

-- name: count_members
SELECT COUNT(*) AS members FROM spend WHERE month = :month;

-- name: favoured
SELECT account FROM subscription WHERE mode = :mode
UNION SELECT account FROM tier_grant WHERE mode = :mode
UNION SELECT account FROM seat WHERE mode = :mode;

-- name: find_members
SELECT id
FROM account
WHERE LOWER(platform || ':' || CASE WHEN workspace = '' THEN '' ELSE workspace || '/' END || member)
    LIKE :pattern ESCAPE '\'
ORDER BY seen_at DESC, id
LIMIT :most;

-- name: members_by_person
SELECT m.account, MAX(m.asked) AS asked
FROM (
    SELECT account, 1 AS asked FROM spend WHERE month = :month
    UNION ALL SELECT DISTINCT account, 0 FROM mrr_movement WHERE mode = :mode
    UNION ALL
    SELECT DISTINCT account, 0 FROM usage_event WHERE mode = :mode AND used_at >= :since AND used_at < :until
) AS m
    JOIN account a ON a.id = m.account
GROUP BY m.account, a.platform, a.workspace, a.member
ORDER BY a.platform, a.workspace, a.member, m.account;
