-- name: raise_alert
INSERT INTO alert (key, kind, subject, detail, link, at)
VALUES (:key, :kind, :subject, :detail, :link, :at)
ON CONFLICT (key) DO NOTHING;

-- name: take_alerts
UPDATE alert SET told_at = :now
WHERE told_at IS NULL
    AND key IN (SELECT key FROM alert WHERE told_at IS NULL ORDER BY at, key LIMIT :most)
RETURNING key, kind, subject, detail, link, at;

-- name: owe_alert
INSERT INTO alert_owed (alert, platform, workspace, member, channel, bulletin, attempts, state, due_at)
VALUES (:alert, :platform, :workspace, :member, :channel, NULL, 0, 'owed', :now)
ON CONFLICT DO NOTHING;

-- Somebody who is owed alerts, but not while a bulletin of theirs is on its way, nor in a flood: more may gather
-- meanwhile.
-- name: next_to_tell
SELECT platform, workspace, member
FROM alert_owed
WHERE state = 'owed' AND bulletin IS NULL AND due_at <= :now
    AND :receivers LIKE '%,' || platform || '/' || workspace || '/' || member || ',%'
    AND NOT EXISTS (
        SELECT 1
        FROM alert_owed AS begun
        WHERE begun.state = 'owed' AND begun.bulletin IS NOT NULL AND begun.platform = alert_owed.platform
            AND begun.workspace = alert_owed.workspace AND begun.member = alert_owed.member
    )
    AND :flood > (
        SELECT COUNT(*)
        FROM alert_owed AS told
        WHERE told.platform = alert_owed.platform AND told.workspace = alert_owed.workspace
            AND told.member = alert_owed.member AND told.due_at > :lately AND told.state = 'told'
    )
ORDER BY due_at, alert
LIMIT 1;

-- name: begin_bulletin
UPDATE alert_owed SET bulletin = :bulletin
WHERE state = 'owed' AND bulletin IS NULL
    AND platform = :platform AND workspace = :workspace AND member = :member;

-- A claim moves due_at to the end of its lease. The outer conditions repeat the inner ones: PostgreSQL checks
-- only them again after waiting for a rival.
-- name: claim_bulletin
UPDATE alert_owed SET attempts = attempts + 1, due_at = :lease_until
WHERE state = 'owed' AND due_at <= :now
    AND bulletin = (
        SELECT bulletin
        FROM alert_owed
        WHERE state = 'owed' AND bulletin IS NOT NULL AND due_at <= :now
            AND :receivers LIKE '%,' || platform || '/' || workspace || '/' || member || ',%'
        ORDER BY due_at, bulletin
        LIMIT 1
    )
RETURNING bulletin, platform, workspace, member, channel, attempts - 1 AS attempts;

-- name: bulletin_alerts
SELECT alert.key, alert.kind, alert.subject, alert.detail, alert.link, alert.at,
    (
        SELECT COALESCE(account.language, account.locale)
        FROM account
        WHERE account.platform = alert_owed.platform AND account.workspace = alert_owed.workspace
            AND account.member = alert_owed.member
    ) AS locale
FROM alert_owed
JOIN alert ON alert.key = alert_owed.alert
WHERE alert_owed.bulletin = :bulletin
ORDER BY alert.at, alert.key;

-- name: bulletin_told
UPDATE alert_owed SET state = 'told', due_at = :now WHERE bulletin = :bulletin AND state = 'owed';

-- name: bulletin_later
UPDATE alert_owed SET due_at = :due WHERE bulletin = :bulletin AND state = 'owed';

-- name: drop_bulletin
UPDATE alert_owed SET state = 'dropped' WHERE bulletin = :bulletin AND state = 'owed';

-- name: open_alerts
SELECT kind, COUNT(*) AS times FROM alert WHERE at >= :since GROUP BY kind ORDER BY kind;

-- name: drop_stale_alerts
UPDATE alert_owed SET state = 'dropped'
WHERE state = 'owed' AND alert IN (SELECT key FROM alert WHERE at < :stale);

-- name: forget_owed_alerts
DELETE FROM alert_owed WHERE alert IN (SELECT key FROM alert WHERE at < :old);

-- name: forget_alerts
DELETE FROM alert WHERE at < :old AND told_at IS NOT NULL;
