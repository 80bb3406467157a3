-- name: save_proposal
INSERT INTO proposal (
    id, account, mode, platform, workspace, member, stripe_subscription_id, kind, tier, pay_interval, quantity,
    timing, effective_at, due_now, recurring, currency, created_at, expires_at, state
) VALUES (
    :id, :account, :mode, :platform, :workspace, :member, :subscription, :kind, :tier, :pay_interval, :quantity,
    :timing, :effective_at, :due_now, :recurring, :currency, :created_at, :expires_at, :state
)
ON CONFLICT (id) DO UPDATE SET state = excluded.state;

-- name: proposal
SELECT id, account, mode, platform, workspace, member, stripe_subscription_id, kind, tier, pay_interval,
    quantity, timing, effective_at, due_now, recurring, currency, created_at, expires_at, state
FROM proposal
WHERE id = :id;

-- name: lock_proposal
UPDATE proposal SET state = state WHERE id = :id
RETURNING id, account, mode, platform, workspace, member, stripe_subscription_id, kind, tier, pay_interval,
    quantity, timing, effective_at, due_now, recurring, currency, created_at, expires_at, state;
