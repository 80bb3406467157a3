-- Fractions are text, "p/q" of whole numbers.

ALTER TABLE customer ADD COLUMN trial_used_at BIGINT;
-- When time alone changes something about the account next.
ALTER TABLE customer ADD COLUMN look_at BIGINT;
CREATE INDEX customer_by_look ON customer (mode, look_at) WHERE look_at IS NOT NULL;

-- Customers that were deleted at Stripe.
CREATE TABLE former_customer (
    mode TEXT NOT NULL,
    stripe_customer_id TEXT NOT NULL,
    account TEXT NOT NULL REFERENCES account (id),
    epoch BIGINT NOT NULL,
    retired_at BIGINT NOT NULL,
    PRIMARY KEY (mode, stripe_customer_id)
);

ALTER TABLE subscription ADD COLUMN open_invoice TEXT;
ALTER TABLE subscription ADD COLUMN pay_url TEXT;
ALTER TABLE subscription ADD COLUMN item TEXT NOT NULL DEFAULT '';
ALTER TABLE subscription ADD COLUMN metered_item TEXT;
ALTER TABLE subscription ADD COLUMN schedule TEXT;
ALTER TABLE subscription ADD COLUMN planned_tier TEXT;
ALTER TABLE subscription ADD COLUMN planned_interval TEXT;
ALTER TABLE subscription ADD COLUMN planned_quantity BIGINT;
ALTER TABLE subscription ADD COLUMN planned_at BIGINT;
ALTER TABLE subscription ADD COLUMN change_pending BIGINT NOT NULL DEFAULT 0;
ALTER TABLE subscription ADD COLUMN trialed BIGINT NOT NULL DEFAULT 0;
ALTER TABLE subscription ADD COLUMN invoice_paid BIGINT NOT NULL DEFAULT 1;
ALTER TABLE subscription ADD COLUMN card_expires BIGINT;
ALTER TABLE subscription ADD COLUMN mrr TEXT NOT NULL DEFAULT '0/1';
ALTER TABLE subscription ADD COLUMN currency TEXT NOT NULL DEFAULT 'usd';
ALTER TABLE subscription ADD COLUMN ended_at BIGINT;
ALTER TABLE subscription ADD COLUMN end_reason TEXT;

ALTER TABLE checkout_attempt ADD COLUMN trial_days BIGINT NOT NULL DEFAULT 0;
ALTER TABLE checkout_attempt ADD COLUMN quantity BIGINT NOT NULL DEFAULT 1;

-- dead: given up until the operator, a hint or a reading of its own brings it back.
ALTER TABLE sync_queue ADD COLUMN dead BIGINT NOT NULL DEFAULT 0;
DROP INDEX sync_queue_due;
CREATE INDEX sync_queue_due ON sync_queue (due_at) WHERE gen > done_gen AND dead = 0;
CREATE INDEX sync_queue_dead ON sync_queue (mode) WHERE dead = 1;

-- What was stored so far lacks the new columns, so every customer with a subscription is read again.
-- (SQLite takes ON CONFLICT for a part of the SELECT unless that has a WHERE.)
INSERT INTO sync_queue (mode, stripe_customer_id, gen, done_gen, due_at, lease_until, lease_token, fails, error)
SELECT mode, stripe_customer_id, 1, 0, MAX(read_at), 0, '', 0, ''
FROM subscription
WHERE TRUE
GROUP BY mode, stripe_customer_id
ON CONFLICT (mode, stripe_customer_id) DO UPDATE SET gen = sync_queue.gen + 1, due_at = excluded.due_at;

ALTER TABLE notice ADD COLUMN mode TEXT NOT NULL DEFAULT 'live';
-- The mode of an old notice is in its key, or that of the subscription which its key names.
UPDATE notice SET mode = CASE
    WHEN simulated = 1 OR key LIKE 'tier:sim:%' THEN 'sim'
    WHEN key LIKE 'tier:test:%' THEN 'test'
    ELSE COALESCE(
        (
            SELECT MAX(mode)
            FROM subscription
            WHERE account = notice.account AND notice.key LIKE '%:' || stripe_subscription_id || ':%'
        ),
        'live'
    )
END;
ALTER TABLE notice DROP COLUMN simulated;
DROP INDEX notice_owed;
CREATE INDEX notice_owed ON notice (mode, due_at) WHERE state = 'owed';

CREATE TABLE dispute (
    mode TEXT NOT NULL,
    id TEXT NOT NULL,
    account TEXT NOT NULL REFERENCES account (id),
    stripe_customer_id TEXT NOT NULL,
    charge TEXT NOT NULL,
    stage TEXT NOT NULL CHECK (stage IN ('inquiry', 'open', 'won', 'lost')),
    amount BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    read_at BIGINT NOT NULL,
    forgiven_at BIGINT,
    PRIMARY KEY (mode, id)
);
CREATE INDEX dispute_by_account ON dispute (account, mode);

CREATE TABLE refund (
    mode TEXT NOT NULL,
    charge TEXT NOT NULL,
    account TEXT NOT NULL REFERENCES account (id),
    stripe_customer_id TEXT NOT NULL,
    invoice TEXT,
    amount BIGINT NOT NULL,
    whole BIGINT NOT NULL,
    revokes BIGINT NOT NULL,
    refunded_at BIGINT NOT NULL,
    read_at BIGINT NOT NULL,
    PRIMARY KEY (mode, charge)
);
CREATE INDEX refund_by_account ON refund (account, mode);

-- Changes of a subscription that a person was shown and may confirm.
CREATE TABLE proposal (
    id TEXT PRIMARY KEY,
    account TEXT NOT NULL REFERENCES account (id),
    mode TEXT NOT NULL,
    platform TEXT NOT NULL,
    workspace TEXT NOT NULL,
    member TEXT NOT NULL,
    stripe_subscription_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    tier TEXT NOT NULL,
    pay_interval TEXT NOT NULL,
    quantity BIGINT NOT NULL,
    timing TEXT NOT NULL,
    effective_at BIGINT NOT NULL,
    due_now BIGINT NOT NULL,
    recurring BIGINT NOT NULL,
    currency TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'confirmed', 'done', 'refused'))
);
CREATE INDEX proposal_by_account ON proposal (account, created_at);

-- Calls owed to Stripe.
CREATE TABLE duty (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    mode TEXT NOT NULL,
    subject TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('owed', 'done', 'dead')),
    attempts BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    error TEXT NOT NULL,
    done_at BIGINT
);
CREATE INDEX duty_owed ON duty (mode, due_at) WHERE state = 'owed';
CREATE INDEX duty_dead ON duty (mode) WHERE state = 'dead';

-- What the clock starts; while one runs, due_at is the end of its lease.
CREATE TABLE job (
    name TEXT PRIMARY KEY,
    note TEXT NOT NULL,
    due_at BIGINT NOT NULL
);

-- The last moment that was reserved for reading Stripe.
CREATE TABLE reading_turn (
    mode TEXT PRIMARY KEY,
    taken_at BIGINT NOT NULL
);

-- What a member said last about metered use.
CREATE TABLE metering (
    account TEXT NOT NULL REFERENCES account (id),
    mode TEXT NOT NULL,
    switched_on BIGINT NOT NULL,
    cap BIGINT NOT NULL,
    agreed_at BIGINT NOT NULL,
    platform TEXT NOT NULL,
    workspace TEXT NOT NULL,
    member TEXT NOT NULL,
    PRIMARY KEY (account, mode)
);

-- Metered use, a row a turn; hour is the beginning of the one it fell into.
CREATE TABLE usage_event (
    turn TEXT PRIMARY KEY,
    account TEXT NOT NULL REFERENCES account (id),
    mode TEXT NOT NULL,
    cost BIGINT NOT NULL,
    used_at BIGINT NOT NULL,
    hour BIGINT NOT NULL,
    sealed BIGINT NOT NULL
);
CREATE INDEX usage_event_by_account ON usage_event (account, mode, used_at);
CREATE INDEX usage_event_unsealed ON usage_event (mode, hour, account) WHERE sealed = 0;

-- Meter units on their way to Stripe; tried_at is when that began, makes_good the hour whose units Stripe lost.
CREATE TABLE usage_report (
    identifier TEXT PRIMARY KEY,
    account TEXT NOT NULL REFERENCES account (id),
    mode TEXT NOT NULL,
    stripe_customer_id TEXT NOT NULL,
    hour BIGINT NOT NULL,
    units BIGINT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('owed', 'sent', 'dead')),
    attempts BIGINT NOT NULL,
    sealed_at BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    lease_until BIGINT NOT NULL,
    tried_at BIGINT,
    makes_good BIGINT,
    sent_at BIGINT,
    error TEXT NOT NULL
);
CREATE INDEX usage_report_by_account ON usage_report (account, mode, hour);
CREATE INDEX usage_report_made_good ON usage_report (account, mode, makes_good) WHERE makes_good IS NOT NULL;
CREATE INDEX usage_report_by_seal ON usage_report (mode, sealed_at);
CREATE INDEX usage_report_owed ON usage_report (mode, due_at) WHERE state = 'owed';
CREATE INDEX usage_report_dead ON usage_report (mode) WHERE state = 'dead';

-- What moved the revenue: mrr_after of an account's last row is what it brings in.
CREATE TABLE mrr_movement (
    account TEXT NOT NULL REFERENCES account (id),
    mode TEXT NOT NULL,
    number BIGINT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('new', 'expansion', 'contraction', 'churn', 'reactivation')),
    delta TEXT NOT NULL,
    mrr_after TEXT NOT NULL,
    tier TEXT NOT NULL,
    currency TEXT NOT NULL,
    voluntary BIGINT NOT NULL,
    moved_at BIGINT NOT NULL,
    PRIMARY KEY (account, mode, number)
);
CREATE INDEX mrr_movement_by_time ON mrr_movement (mode, moved_at, account, number);

-- How far an account came, each step once.
CREATE TABLE funnel (
    account TEXT NOT NULL REFERENCES account (id),
    mode TEXT NOT NULL,
    step TEXT NOT NULL,
    reached_at BIGINT NOT NULL,
    PRIMARY KEY (account, mode, step)
);
CREATE INDEX funnel_by_time ON funnel (mode, reached_at);
