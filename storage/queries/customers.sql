-- name: customer
SELECT account, mode, stripe_customer_id, epoch FROM customer WHERE account = :account AND mode = :mode;

-- name: save_customer
INSERT INTO customer (account, mode, stripe_customer_id, epoch)
VALUES (:account, :mode, :customer, :epoch)
ON CONFLICT (account, mode)
DO UPDATE SET stripe_customer_id = excluded.stripe_customer_id, epoch = excluded.epoch;

-- name: account_of
SELECT account FROM customer WHERE mode = :mode AND stripe_customer_id = :customer;

-- name: open_attempt
SELECT id, account, mode, platform, workspace, member, tier, pay_interval, status, created_at, expires_at,
    session, url
FROM checkout_attempt
WHERE account = :account AND mode = :mode AND status = 'open';

-- name: attempt_of
SELECT id, account, mode, platform, workspace, member, tier, pay_interval, status, created_at, expires_at,
    session, url
FROM checkout_attempt
WHERE session = :session;

-- name: latest_attempt
SELECT id, account, mode, platform, workspace, member, tier, pay_interval, status, created_at, expires_at,
    session, url
FROM checkout_attempt
WHERE account = :account AND mode = :mode
ORDER BY created_at DESC, id DESC
LIMIT 1;

-- name: save_attempt
INSERT INTO checkout_attempt (
    id, account, mode, platform, workspace, member, tier, pay_interval, status, created_at, expires_at,
    session, url
) VALUES (
    :id, :account, :mode, :platform, :workspace, :member, :tier, :pay_interval, :status, :created_at,
    :expires_at, :session, :url
)
ON CONFLICT (id) DO UPDATE SET
    tier = excluded.tier, pay_interval = excluded.pay_interval, status = excluded.status,
    expires_at = excluded.expires_at, session = excluded.session, url = excluded.url;

-- name: close_attempts
UPDATE checkout_attempt SET status = :status
WHERE account = :account AND mode = :mode AND status = 'open';
