-- name: mark_dirty
INSERT INTO sync_queue (
    mode, stripe_customer_id, gen, done_gen, due_at, lease_until, lease_token, fails, error
) VALUES (:mode, :customer, 1, 0, :due, 0, '', 0, '')
ON CONFLICT (mode, stripe_customer_id) DO UPDATE SET
    gen = sync_queue.gen + 1,
    due_at = CASE
        WHEN sync_queue.gen > sync_queue.done_gen AND sync_queue.dead = 0
            AND sync_queue.due_at < excluded.due_at
        THEN sync_queue.due_at
        ELSE excluded.due_at
    END,
    fails = CASE WHEN sync_queue.dead = 1 THEN 0 ELSE sync_queue.fails END,
    dead = 0;

-- name: mark_all_dirty
INSERT INTO sync_queue (
    mode, stripe_customer_id, gen, done_gen, due_at, lease_until, lease_token, fails, error
)
SELECT mode, stripe_customer_id, 1, 0, :now, 0, '', 0, ''
FROM (
    SELECT mode, stripe_customer_id FROM subscription
    UNION
    SELECT mode, stripe_customer_id FROM customer WHERE stripe_customer_id IS NOT NULL
) AS known
WHERE TRUE
ON CONFLICT (mode, stripe_customer_id) DO UPDATE SET
    gen = sync_queue.gen + 1, due_at = excluded.due_at, lease_until = 0, fails = 0, dead = 0;

-- The outer conditions repeat the inner ones: PostgreSQL checks only them again after waiting for a rival.
-- name: claim_dirty
UPDATE sync_queue SET lease_until = :lease_until, lease_token = :token
WHERE gen > done_gen AND dead = 0 AND due_at <= :now AND lease_until <= :now
    AND (mode, stripe_customer_id) IN (
        SELECT mode, stripe_customer_id
        FROM sync_queue
        WHERE mode = :mode AND gen > done_gen AND dead = 0 AND due_at <= :now AND lease_until <= :now
        ORDER BY due_at
        LIMIT :most
    )
RETURNING mode, stripe_customer_id, gen, lease_token, fails;

-- name: claim_customer
UPDATE sync_queue SET lease_until = :lease_until, lease_token = :token
WHERE mode = :mode AND stripe_customer_id = :customer AND lease_until <= :now
RETURNING mode, stripe_customer_id, gen, lease_token, fails;

-- name: finish_sync
UPDATE sync_queue SET done_gen = :gen, lease_until = 0, lease_token = '', fails = 0, error = '',
    dead = 0
WHERE mode = :mode AND stripe_customer_id = :customer AND lease_token = :token;

-- name: fail_sync
UPDATE sync_queue SET due_at = :due, lease_until = 0, lease_token = '', fails = fails + 1, error = :error
WHERE mode = :mode AND stripe_customer_id = :customer AND lease_token = :token;

-- name: give_up_sync
UPDATE sync_queue SET dead = 1, lease_until = 0, lease_token = '', fails = fails + 1, error = :error
WHERE mode = :mode AND stripe_customer_id = :customer AND lease_token = :token;

-- name: backlog
SELECT COUNT(*) AS waiting, MIN(due_at) AS oldest
FROM sync_queue
WHERE mode = :mode AND gen > done_gen AND dead = 0 AND due_at <= :now;

-- name: queue_depth
SELECT COUNT(*) AS waiting, MIN(CASE WHEN due_at <= :now THEN due_at END) AS oldest
FROM sync_queue
WHERE gen > done_gen AND dead = 0;
