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

INSERT INTO notice (
    id, key, account, platform, workspace, member, kind, tier, valid_until, simulated, state, attempts, created_at,
    due_at, sent_at
) VALUES
    ('n1', 'tier:live:ann:1', 'ann', 'local', '', 'ann', 'activated', 'pro', 1795521660000000, 0, 'sent', 1,
        1795521600000001, 1795521600000000, 1795521660000000),
    ('n2', 'tier:test:ann:1', 'ann', 'local', '', 'ann', 'activated', 'pro', NULL, 0, 'kept', 1,
        1795521600000002, 1795521600000000, NULL),
    ('n3', 'tier:sim:ann:1', 'ann', 'local', '', 'ann', 'activated', 'pro', NULL, 1, 'owed', 0,
        1795521600000003, 1795521600000000, NULL),
    ('n4', 'tier:sim:ann:2', 'ann', 'local', '', 'ann', 'ended', 'free', NULL, 0, 'owed', 0,
        1795521600000004, 1795521600000000, NULL),
    ('n5', 'failed:sub_1:2026-11-24T12:00:00+00:00', 'ann', 'local', '', 'ann', 'payment_failed', 'pro', NULL, 0,
        'owed', 2, 1795521600000005, 1795521600000000, NULL),
    ('n6', 'cancel:sub_9:2026-11-24T12:00:00+00:00', 'ann', 'local', '', 'ann', 'cancel_pending', 'pro', NULL, 0,
        'owed', 0, 1795521600000006, 1795521600000000, NULL),
    ('n7', 'cancel:sub_8:2026-11-24T12:00:00+00:00', 'ann', 'local', '', 'ann', 'resumed', 'pro', NULL, 1,
        'owed', 0, 1795521600000007, 1795521600000000, NULL);

INSERT INTO sync_queue (
    mode, stripe_customer_id, gen, done_gen, due_at, lease_until, lease_token, fails, error
) VALUES
    ('test', 'cus_1', 4, 4, 1795521660000000, 0, '', 0, ''),
    ('test', 'cus_3', 1, 0, 1795521600000000, 0, '', 2, 'away');

INSERT INTO conversation (id, account, started_at, last_at, day, live_turns)
VALUES ('talk', 'ann', 1795521600000000, 1795521603000000, 20781, 3),
    ('unanswered', 'ann', 1795521600000000, 1795521600000000, 20781, 0);

INSERT INTO anchor (account, place, conversation) VALUES ('ann', 'thread', 'talk'), ('ann', 'other', 'unanswered');

INSERT INTO turn (
    id, account, conversation, key, state, asked_model, model, prompt, answer, estimate, cost, input_tokens,
    cached_input_tokens, output_tokens, tokens_estimated, outcome, owner, started_at, lease_until, settled_at
) VALUES
    ('z', 'ann', 'talk', 'k1', 'settled', 'm', 'm', 'one', 'First.', 9, 5, 1, 0, 1, 0, 'end', 'p',
        1795521600000000, 1795521660000000, 1795521601000000),
    ('b', 'ann', 'talk', 'k2', 'released', 'm', 'm', 'two', '', 9, NULL, 0, 0, 0, 0, 'busy', 'p',
        1795521601000000, 1795521660000000, 1795521602000000),
    ('c', 'ann', 'talk', 'k3', 'settled', 'm', 'm', 'three', 'Third.', 9, 5, 1, 0, 1, 0, 'end', 'p',
        1795521602000000, 1795521660000000, 1795521603000000),
    ('d', 'ann', 'talk', 'k4', 'held', 'm', 'm', 'four', '', 9, NULL, 0, 0, 0, 0, '', 'p',
        1795521603000000, 1795521660000000, NULL),
    ('e', 'ann', 'unanswered', 'k5', 'released', 'm', 'm', 'five', '', 9, NULL, 0, 0, 0, 0, 'busy', 'p',
        1795521600000000, 1795521660000000, 1795521601000000);

INSERT INTO spend (account, month, cost) VALUES ('ann', 24322, 10);
