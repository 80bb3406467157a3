-- name: open_attempt
SELECT id, account, mode, platform, workspace, member, tier, pay_interval, status, created_at, expires_at,
    session, url, trial_days, quantity
FROM checkout_attempt
WHERE account = :account AND mode = :mode AND status = 'open';

-- name: attempt_of
SELECT id, account, mode, platform, workspace, member, tier, pay_interval, status, created_at, expires_at,
    session, url, trial_days, quantity
FROM checkout_attempt
WHERE session = :session;

-- name: latest_attempt
SELECT id, account, mode, platform, workspace, member, tier, pay_interval, status, created_at, expires_at,
    session, url, trial_days, quantity
FROM checkout_attempt
WHERE account = :account AND mode = :mode
ORDER BY created_at DESC, id DESC
LIMIT 1;

-- name: save_attempt
INSERT INTO checkout_attempt (
    id, account, mode, platform, workspace, member, tier, pay_interval, status, created_at, expires_at,
    session, url, trial_days, quantity
) VALUES (
    :id, :account, :mode, :platform, :workspace, :member, :tier, :pay_interval, :status, :created_at,
    :expires_at, :session, :url, :trial_days, :quantity
)
ON CONFLICT (id) DO UPDATE SET
    tier = excluded.tier, pay_interval = excluded.pay_interval, status = excluded.status,
    expires_at = excluded.expires_at, session = excluded.session, url = excluded.url,
    trial_days = excluded.trial_days, quantity = excluded.quantity;

-- name: close_attempts
UPDATE checkout_attempt SET status = :status
WHERE account = :account AND mode = :mode AND status = 'open';
