-- name: owe
INSERT INTO notice (
    id, key, account, mode, platform, workspace, member, kind, tier, valid_until, state, attempts,
    created_at, due_at
)
SELECT :id, :key, id, :mode, :platform, :workspace, :member, :kind, :tier, CAST(:until AS BIGINT), 'owed',
    CAST(:attempts AS BIGINT), CAST(:created_at AS BIGINT), CAST(:created_at AS BIGINT)
FROM account
WHERE id = :account AND erased_at IS NULL
ON CONFLICT DO NOTHING;

-- A claim moves due_at to the end of its lease. The outer conditions repeat the inner ones: PostgreSQL checks
-- only them again after waiting for a rival.
-- name: claim_notices
UPDATE notice SET attempts = attempts + 1, due_at = :lease_until
WHERE mode = :mode AND state = 'owed' AND due_at <= :now
    AND id IN (
        SELECT id
        FROM notice
        WHERE mode = :mode AND state = 'owed' AND due_at <= :now AND :platforms LIKE '%,' || platform || ',%'
        ORDER BY due_at, created_at, key
        LIMIT :most
    )
RETURNING id, key, account, mode, platform, workspace, member, kind, tier, valid_until, created_at,
    attempts - 1 AS attempts,
    (SELECT COALESCE(language, locale) FROM account WHERE account.id = notice.account) AS locale,
    (
        SELECT CAST(until AS TEXT) || '/' || id
        FROM kept_question
        WHERE account = notice.account AND until > :now
            AND (
                turn IS NULL
                OR turn NOT IN (SELECT id FROM turn WHERE id = kept_question.turn AND state <> 'released')
            )
        ORDER BY asked_at DESC, id
        LIMIT 1
    ) AS kept;

-- name: notice_sent
UPDATE notice SET state = 'sent', sent_at = :now WHERE id = :id;

-- name: notice_later
UPDATE notice SET due_at = :due WHERE id = :id AND state = 'owed';

-- name: keep_notice
UPDATE notice SET state = 'kept' WHERE id = :id AND state = 'owed';

-- name: has_kept
SELECT COUNT(*) AS kept FROM notice WHERE account = :account AND mode = :mode AND state = 'kept';

-- name: take_kept
UPDATE notice SET state = 'sent', sent_at = :now
WHERE account = :account AND mode = :mode AND state = 'kept'
RETURNING id, key, account, mode, platform, workspace, member, kind, tier, valid_until, created_at,
    attempts,
    (SELECT COALESCE(language, locale) FROM account WHERE account.id = notice.account) AS locale,
    (
        SELECT CAST(until AS TEXT) || '/' || id
        FROM kept_question
        WHERE account = notice.account AND until > :now
            AND (
                turn IS NULL
                OR turn NOT IN (SELECT id FROM turn WHERE id = kept_question.turn AND state <> 'released')
            )
        ORDER BY asked_at DESC, id
        LIMIT 1
    ) AS kept;

-- name: notices
SELECT id, key, account, mode, platform, workspace, member, kind, tier, valid_until, created_at, attempts,
    (SELECT COALESCE(language, locale) FROM account WHERE account.id = notice.account) AS locale, NULL AS kept
FROM notice
WHERE account = :account
ORDER BY created_at, key;
