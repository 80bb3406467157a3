-- name: subscriptions
SELECT mode, stripe_subscription_id, stripe_customer_id, payment_status, tier, price, pay_interval, quantity,
    created_at, started_at, period_end, cancel_at, trial_end, collection_paused, latest_invoice,
    past_due_since, open_invoice, pay_url, item, metered_item, schedule, planned_tier, planned_interval,
    planned_quantity, planned_at, change_pending, invoice_paid, trialed, card_expires, mrr, currency, ended_at, end_reason
FROM subscription
WHERE account = :account AND mode = :mode
ORDER BY created_at DESC, stripe_subscription_id DESC;

-- name: known_subscriptions
SELECT account, mode, stripe_subscription_id, stripe_customer_id, payment_status, tier, price, pay_interval, quantity,
    created_at, started_at, period_end, cancel_at, trial_end, collection_paused, latest_invoice,
    past_due_since, open_invoice, pay_url, item, metered_item, schedule, planned_tier, planned_interval,
    planned_quantity, planned_at, change_pending, invoice_paid, trialed, card_expires, mrr, currency, ended_at, end_reason
FROM subscription
WHERE mode = :mode AND stripe_subscription_id > :after
ORDER BY stripe_subscription_id
LIMIT :most;

-- name: customer_of
SELECT stripe_customer_id FROM subscription WHERE mode = :mode AND stripe_subscription_id = :id;

-- name: forget_subscriptions
DELETE FROM subscription WHERE account = :account AND mode = :mode;

-- name: save_subscription
INSERT INTO subscription (
    account, read_at, mode, stripe_subscription_id, stripe_customer_id, payment_status, tier, price, pay_interval, quantity,
    created_at, started_at, period_end, cancel_at, trial_end, collection_paused, latest_invoice,
    past_due_since, open_invoice, pay_url, item, metered_item, schedule, planned_tier, planned_interval,
    planned_quantity, planned_at, change_pending, invoice_paid, trialed, card_expires, mrr, currency, ended_at, end_reason
) VALUES (
    :account, :now, :mode, :id, :customer, :status, :tier, :price, :pay_interval, :quantity,
    :created_at, :started_at, :period_end, :cancel_at, :trial_end, :collection_paused, :latest_invoice,
    :past_due_since, :open_invoice, :pay_url, :item, :metered_item, :schedule, :planned_tier, :planned_interval,
    :planned_quantity, :planned_at, :change_pending, :invoice_paid, :trialed, :card_expires, :mrr, :currency, :ended_at,
    :end_reason
);

-- Those that wait to be read, and those given up, are left to the queue.
-- name: overdue_customers
SELECT stripe_customer_id
FROM subscription
WHERE mode = :mode AND read_at <= :read_before
    AND (
        period_end BETWEEN read_at AND :now
        OR trial_end BETWEEN read_at AND :now
        OR payment_status = 'past_due'
    )
    AND NOT EXISTS (
        SELECT 1
        FROM sync_queue q
        WHERE q.mode = subscription.mode AND q.stripe_customer_id = subscription.stripe_customer_id
            AND (q.gen > q.done_gen OR q.dead = 1)
    )
GROUP BY stripe_customer_id
ORDER BY MIN(read_at), stripe_customer_id
LIMIT :most;
