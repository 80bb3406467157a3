-- A row for each subscription, and one without if there is none; beside them what else there is to be read.
-- name: holdings
SELECT joined.owner,
    (
        SELECT COUNT(*) FROM seat AS before
        WHERE before.owner = joined.owner AND before.mode = joined.mode AND before.number < joined.number
    ) + 2 AS place,
    (SELECT COUNT(*) FROM tier_grant WHERE account = :account AND mode = :mode) AS grants,
    (
        SELECT COUNT(*) FROM dispute WHERE account = :account AND mode = :mode AND forgiven_at IS NULL
    ) + (
        SELECT COUNT(*) FROM refund WHERE account = :account AND mode = :mode AND revokes = 1
    ) AS claims,
    s.mode, s.stripe_subscription_id, s.stripe_customer_id, s.payment_status, s.tier, s.price, s.pay_interval,
    s.quantity, s.created_at, s.started_at, s.period_end, s.cancel_at, s.trial_end, s.collection_paused,
    s.latest_invoice, s.past_due_since, s.open_invoice, s.pay_url, s.item, s.metered_item, s.schedule, s.planned_tier,
    s.planned_interval, s.planned_quantity, s.planned_at, s.change_pending, s.invoice_paid, s.trialed, s.card_expires,
    s.mrr, s.currency, s.ended_at, s.end_reason
FROM (SELECT 1 AS one) AS always
    LEFT JOIN seat AS joined ON joined.account = :account AND joined.mode = :mode
    LEFT JOIN subscription AS s ON s.account = :account AND s.mode = :mode
ORDER BY s.created_at DESC, s.stripe_subscription_id DESC;
