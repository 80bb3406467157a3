-- name: customer
SELECT account, mode, stripe_customer_id, epoch, trial_used_at
FROM customer
WHERE account = :account AND mode = :mode;

-- name: save_customer
INSERT INTO customer (account, mode, stripe_customer_id, epoch, trial_used_at)
VALUES (:account, :mode, :customer, :epoch, :trial_used_at)
ON CONFLICT (account, mode) DO UPDATE SET
    stripe_customer_id = excluded.stripe_customer_id, epoch = excluded.epoch,
    trial_used_at = excluded.trial_used_at;

-- name: retire_customer
UPDATE customer SET stripe_customer_id = NULL, epoch = epoch + 1
WHERE account = :account AND mode = :mode AND stripe_customer_id = :customer;

-- name: add_former_customer
INSERT INTO former_customer (mode, stripe_customer_id, account, epoch, retired_at)
VALUES (:mode, :customer, :account, :epoch, :now)
ON CONFLICT DO NOTHING;

-- name: former_customer
SELECT account FROM former_customer WHERE mode = :mode AND stripe_customer_id = :customer;

-- name: account_of
SELECT account FROM customer WHERE mode = :mode AND stripe_customer_id = :customer;

-- name: look_again
INSERT INTO look (account, mode, at) VALUES (:account, :mode, :at)
ON CONFLICT (account, mode) DO UPDATE SET at = excluded.at;

-- name: never_look
DELETE FROM look WHERE account = :account AND mode = :mode;

-- name: due_to_look
SELECT account FROM look
WHERE mode = :mode AND at <= :now
ORDER BY at, account
LIMIT :most;
