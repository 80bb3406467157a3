-- Rows as version 0001 wrote them, at 1795521600000000 (NOON) and a minute later.

INSERT INTO account (id, platform, workspace, member, model, created_at, seen_at)
VALUES ('ann', 'local', '', 'ann', NULL, 1795521600000000, 1795521600000000);

INSERT INTO customer (account, mode, stripe_customer_id, epoch) VALUES ('ann', 'test', 'cus_1', 2);

INSERT INTO subscription (
    mode, stripe_subscription_id, account, stripe_customer_id, payment_status, tier, price, pay_interval,
    quantity, created_at, started_at, period_end, cancel_at, trial_end, collection_paused, latest_invoice,
    past_due_since, read_at
) VALUES
    ('test', 'sub_1', 'ann', 'cus_1', 'past_due', 'premium', 'price_1', 'year', 1, 1795521600000000, 1795521600000000,
        1795521660000000, NULL, NULL, NULL, 'in_1', 1795521600000000, 1795521600000000),
    ('test', 'sub_2', 'ann', 'cus_2', 'canceled', NULL, 'price_2', NULL, 3, 1795521660000000, 1795521660000000,
        NULL, 1795521660000000, 1795521660000000, 'void', NULL, NULL, 1795521600000000);

INSERT INTO checkout_attempt (
    id, account, mode, platform, workspace, member, tier, pay_interval, status, created_at, expires_at, session,
    url
) VALUES (
    'attempt', 'ann', 'test', 'local', '', 'ann', 'pro', 'month', 'open', 1795521600000000, 1795521660000000, 'cs_1', NULL
);

INSERT INTO sync_queue (
    mode, stripe_customer_id, gen, done_gen, due_at, lease_until, lease_token, fails, error
) VALUES
    ('test', 'cus_1', 4, 4, 1795521660000000, 0, '', 0, ''),
    ('test', 'cus_3', 1, 0, 1795521600000000, 0, '', 2, 'away');
