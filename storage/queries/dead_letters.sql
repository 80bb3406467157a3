-- name: dead_letters
SELECT 'customer' AS kind, stripe_customer_id AS id, error, fails AS attempts
FROM sync_queue
WHERE mode = :mode AND dead = 1
UNION ALL
SELECT 'duty', id, error, attempts FROM duty WHERE mode = :mode AND state = 'dead'
UNION ALL
SELECT 'usage', identifier, error, attempts FROM usage_report WHERE mode = :mode AND state = 'dead'
ORDER BY kind, id;

-- name: count_dead
SELECT
    (SELECT COUNT(*) FROM sync_queue WHERE mode = :mode AND dead = 1)
    + (SELECT COUNT(*) FROM duty WHERE mode = :mode AND state = 'dead')
    + (SELECT COUNT(*) FROM usage_report WHERE mode = :mode AND state = 'dead') AS dead;

-- name: retry_dead_customers
UPDATE sync_queue SET dead = 0, gen = gen + 1, due_at = :now, fails = 0, error = ''
WHERE mode = :mode AND dead = 1 AND stripe_customer_id = COALESCE(:letter, stripe_customer_id);

-- name: retry_dead_duties
UPDATE duty SET state = 'owed', due_at = :now, attempts = 0, error = ''
WHERE mode = :mode AND state = 'dead' AND id = COALESCE(:letter, id);

-- tried_at stays: Stripe may have had the report all the same.
-- name: retry_dead_reports
UPDATE usage_report SET state = 'owed', due_at = :now, lease_until = 0, attempts = 0, error = ''
WHERE mode = :mode AND state = 'dead' AND identifier = COALESCE(:letter, identifier);
