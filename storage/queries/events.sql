-- name: store_event
INSERT INTO stripe_event (id, type, mode, stripe_customer_id, status, payload, created_at, received_at)
VALUES (:id, :type, :mode, :customer, :status, :payload, :created_at, :now)
ON CONFLICT (id) DO NOTHING;

-- name: forget_payloads
UPDATE stripe_event SET payload = :nothing
WHERE id IN (
    SELECT id FROM stripe_event WHERE received_at < :before AND LENGTH(payload) > 0 ORDER BY received_at LIMIT :most
);

-- name: settle_events
UPDATE stripe_event SET status = 'applied', applied_at = :now
WHERE mode = :mode AND stripe_customer_id = :customer AND status = 'pending'
    AND received_at <= :received_before
RETURNING received_at;

-- Customers that wait to be read settle their events then, and those given up are left to the operator.
-- name: customers_with_stale_events
SELECT DISTINCT stripe_customer_id
FROM stripe_event
WHERE mode = :mode AND status = 'pending' AND received_at < :received_before
    AND stripe_customer_id IS NOT NULL
    AND NOT EXISTS (
        SELECT 1
        FROM sync_queue q
        WHERE q.mode = stripe_event.mode AND q.stripe_customer_id = stripe_event.stripe_customer_id
            AND (q.gen > q.done_gen OR q.dead = 1)
    )
ORDER BY stripe_customer_id;
