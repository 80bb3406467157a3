-- name: dispute
SELECT mode, id, stripe_customer_id, charge, stage, amount, created_at, read_at
FROM dispute
WHERE mode = :mode AND id = :id;

-- name: save_dispute
INSERT INTO dispute (
    mode, id, account, stripe_customer_id, charge, stage, amount, created_at, read_at
) VALUES (
    :mode, :id, :account, :customer, :charge, :stage, :amount, :created_at, :read_at
)
ON CONFLICT (mode, id) DO UPDATE SET
    account = excluded.account, stripe_customer_id = excluded.stripe_customer_id, charge = excluded.charge,
    stage = excluded.stage, amount = excluded.amount, created_at = excluded.created_at,
    read_at = excluded.read_at;

-- name: standing_disputes
SELECT mode, id, stripe_customer_id, charge, stage, amount, created_at
FROM dispute
WHERE account = :account AND mode = :mode AND forgiven_at IS NULL
ORDER BY created_at, id;

-- name: forgive
UPDATE dispute SET forgiven_at = :now
WHERE account = :account AND mode = :mode AND forgiven_at IS NULL AND stage IN ('open', 'lost');

-- name: refund
SELECT mode, charge, stripe_customer_id, invoice, amount, whole, refunded_at, read_at
FROM refund
WHERE mode = :mode AND charge = :charge;

-- What was decided when a refund became whole stays for as long as it is whole.
-- name: save_refund
INSERT INTO refund (
    mode, charge, account, stripe_customer_id, invoice, amount, whole, revokes, refunded_at, read_at
) VALUES (
    :mode, :charge, :account, :customer, :invoice, :amount, :whole, :revokes, :at, :read_at
)
ON CONFLICT (mode, charge) DO UPDATE SET
    account = excluded.account, stripe_customer_id = excluded.stripe_customer_id, invoice = excluded.invoice,
    amount = excluded.amount, whole = excluded.whole,
    revokes = CASE WHEN refund.whole = 1 AND excluded.whole = 1 THEN refund.revokes ELSE excluded.revokes END,
    refunded_at = excluded.refunded_at, read_at = excluded.read_at;

-- name: revoked_invoices
SELECT DISTINCT invoice
FROM refund
WHERE account = :account AND mode = :mode AND revokes = 1 AND invoice IS NOT NULL;
