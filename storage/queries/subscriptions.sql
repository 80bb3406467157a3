-- name: subscriptions
SELECT mode, stripe_subscription_id, stripe_customer_id, payment_status, tier, price, pay_interval, quantity,
    created_at, started_at, period_end, cancel_at, trial_end, collection_paused, latest_invoice,
    past_due_since
FROM subscription
WHERE account = :account AND mode = :mode
ORDER BY created_at DESC, stripe_subscription_id DESC;

-- name: forget_subscriptions
DELETE FROM subscription WHERE account = :account AND mode = :mode;

-- name: save_subscription
INSERT INTO subscription (
    mode, stripe_subscription_id, account, stripe_customer_id, payment_status, tier, price, pay_interval,
    quantity, created_at, started_at, period_end, cancel_at, trial_end, collection_paused, latest_invoice,
    past_due_since, read_at
) VALUES (
    :mode, :id, :account, :customer, :status, :tier, :price, :pay_interval,
    :quantity, :created_at, :started_at, :period_end, :cancel_at, :trial_end, :collection_paused,
    :latest_invoice, :past_due_since, :now
);

-- name: next_tier_change
SELECT COALESCE(MAX(number), 0) + 1 AS number FROM tier_change WHERE account = :account AND mode = :mode;

-- name: add_tier_change
INSERT INTO tier_change (account, mode, number, tier_before, tier_after, reason, changed_at)
VALUES (:account, :mode, :number, :tier_before, :tier_after, :reason, :at);

-- name: tier_changes
SELECT account, mode, number, tier_before, tier_after, reason, changed_at
FROM tier_change
WHERE account = :account
ORDER BY changed_at, mode, number;
