-- name: add_report
INSERT INTO usage_report (
    identifier, account, mode, stripe_customer_id, hour, units, state, attempts, sealed_at, due_at, lease_until,
    tried_at, makes_good, error
) VALUES (
    :identifier, :account, :mode, :customer, :hour, :units, 'owed', :attempts, :sealed_at, :sealed_at, 0,
    :tried_at, :makes_good, ''
);

-- name: count_reports
SELECT COUNT(*) AS reports FROM usage_report WHERE account = :account AND mode = :mode AND hour = :hour;

-- The outer conditions repeat the inner ones: PostgreSQL checks only them again after waiting for a rival.
-- tried_at is the first claim's time, and nothing to that claim itself.
-- name: claim_reports
UPDATE usage_report
SET attempts = attempts + 1, lease_until = :lease_until, tried_at = COALESCE(tried_at, :now)
WHERE state = 'owed' AND due_at <= :now AND lease_until <= :now
    AND identifier IN (
        SELECT identifier
        FROM usage_report
        WHERE mode = :mode AND state = 'owed' AND due_at <= :now AND lease_until <= :now
        ORDER BY due_at, hour, identifier
        LIMIT :most
    )
RETURNING identifier, account, mode, stripe_customer_id, hour, units, sealed_at, attempts - 1 AS attempts,
    CASE WHEN tried_at < :now THEN tried_at END AS tried_at, makes_good, sent_at, state;

-- name: claim_reports_of
UPDATE usage_report
SET attempts = attempts + 1, lease_until = :lease_until, tried_at = COALESCE(tried_at, :now)
WHERE state = 'owed' AND lease_until <= :now
    AND identifier IN (
        SELECT identifier
        FROM usage_report
        WHERE account = :account AND mode = :mode AND state = 'owed' AND lease_until <= :now
        ORDER BY hour, identifier
        LIMIT :most
    )
RETURNING identifier, account, mode, stripe_customer_id, hour, units, sealed_at, attempts - 1 AS attempts,
    CASE WHEN tried_at < :now THEN tried_at END AS tried_at, makes_good, sent_at, state;

-- name: report_sent
UPDATE usage_report SET state = 'sent', sent_at = :now, error = ''
WHERE identifier = :identifier AND state <> 'sent';

-- name: report_later
UPDATE usage_report SET due_at = :due, lease_until = 0, error = :error
WHERE identifier = :identifier AND state = 'owed';

-- name: report_dead
UPDATE usage_report SET state = 'dead', lease_until = 0, error = :error
WHERE identifier = :identifier AND state = 'owed';

-- Nobody can have reported the use of an hour before it.
-- name: doubt_reports
UPDATE usage_report SET tried_at = hour WHERE state <> 'sent';

-- name: usage_reports
SELECT identifier, account, mode, stripe_customer_id, hour, units, sealed_at, attempts, tried_at, makes_good,
    sent_at, state
FROM usage_report
WHERE account = :account AND mode = :mode
    AND ((hour >= :since AND hour < :until) OR (makes_good >= :since AND makes_good < :until))
ORDER BY hour, identifier;

-- name: usage_revenue_units
SELECT COALESCE(SUM(units), 0) AS units
FROM usage_report
WHERE mode = :mode AND sealed_at >= :since AND sealed_at < :until AND makes_good IS NULL;
