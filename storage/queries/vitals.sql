-- Each count reads a partial index of what is open.
-- name: vitals
SELECT
    (SELECT COUNT(*) FROM turn WHERE state = 'held') AS held_turns,
    (SELECT COUNT(*) FROM sync_queue WHERE gen > done_gen AND dead = 0) AS backlog,
    (SELECT MIN(due_at) FROM sync_queue WHERE gen > done_gen AND dead = 0 AND due_at <= :now) AS oldest,
    (SELECT COUNT(*) FROM sync_queue WHERE dead = 1) AS dead_customers,
    (SELECT COUNT(*) FROM duty WHERE state = 'dead') AS dead_duties,
    (SELECT COUNT(*) FROM usage_report WHERE state = 'dead') AS dead_reports,
    (SELECT COUNT(*) FROM notice WHERE state = 'owed') AS notices_owed,
    (SELECT COUNT(*) FROM alert WHERE told_at IS NULL) AS alerts_unseen,
    (SELECT COUNT(*) FROM alert_owed WHERE state = 'owed') AS alerts_owed,
    (SELECT COUNT(*) FROM circuit) AS circuits_open;
