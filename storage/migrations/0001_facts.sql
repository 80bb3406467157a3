-- Time is microseconds since 1970 (UTC), days are days since 1970, money is micro-dollars, truth is 0 or 1.

CREATE TABLE account (
    id TEXT PRIMARY KEY,
    platform TEXT NOT NULL,
    workspace TEXT NOT NULL,
    member TEXT NOT NULL,
    model TEXT,
    created_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    UNIQUE (platform, workspace, member)
);

-- The platforms' message keys that were taken, so that each is answered once.
CREATE TABLE claim (
    key TEXT PRIMARY KEY,
    claimed_at BIGINT NOT NULL
);
CREATE INDEX claim_by_age ON claim (claimed_at);

-- live_turns counts turns held or settled; a conversation with none is not counted on its day.
CREATE TABLE conversation (
    id TEXT PRIMARY KEY,
    account TEXT NOT NULL REFERENCES account (id),
    started_at BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    day BIGINT NOT NULL,
    live_turns BIGINT NOT NULL
);
CREATE INDEX conversation_by_day ON conversation (account, day);

-- The places in a chat that lead to a conversation.
CREATE TABLE anchor (
    account TEXT NOT NULL REFERENCES account (id),
    place TEXT NOT NULL,
    conversation TEXT NOT NULL REFERENCES conversation (id),
    PRIMARY KEY (account, place)
);
CREATE INDEX anchor_by_conversation ON anchor (conversation);

-- cost is null while held and for a model without a price; estimate is the most that a held turn may cost.
CREATE TABLE turn (
    id TEXT PRIMARY KEY,
    account TEXT NOT NULL REFERENCES account (id),
    conversation TEXT NOT NULL REFERENCES conversation (id),
    key TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('held', 'settled', 'released')),
    asked_model TEXT NOT NULL,
    model TEXT NOT NULL,
    prompt TEXT NOT NULL,
    answer TEXT NOT NULL,
    estimate BIGINT NOT NULL,
    cost BIGINT,
    input_tokens BIGINT NOT NULL,
    cached_input_tokens BIGINT NOT NULL,
    output_tokens BIGINT NOT NULL,
    tokens_estimated BIGINT NOT NULL,
    outcome TEXT NOT NULL,
    owner TEXT NOT NULL,
    started_at BIGINT NOT NULL,
    lease_until BIGINT NOT NULL,
    settled_at BIGINT
);
CREATE INDEX turn_by_account ON turn (account, started_at);
CREATE INDEX turn_by_conversation ON turn (conversation, started_at);
CREATE INDEX turn_held ON turn (account, lease_until) WHERE state = 'held';
CREATE INDEX turn_lease ON turn (lease_until) WHERE state = 'held';

-- What an account's turns cost in the UTC month they started in, without those still held.
CREATE TABLE spend (
    account TEXT NOT NULL REFERENCES account (id),
    month BIGINT NOT NULL,
    cost BIGINT NOT NULL,
    PRIMARY KEY (account, month)
);

CREATE TABLE customer (
    account TEXT NOT NULL REFERENCES account (id),
    mode TEXT NOT NULL,
    stripe_customer_id TEXT,
    epoch BIGINT NOT NULL,
    PRIMARY KEY (account, mode),
    UNIQUE (mode, stripe_customer_id)
);

-- What Stripe said at the last reading; the tier follows from these rows and the time alone.
CREATE TABLE subscription (
    mode TEXT NOT NULL,
    stripe_subscription_id TEXT NOT NULL,
    account TEXT NOT NULL REFERENCES account (id),
    stripe_customer_id TEXT NOT NULL,
    payment_status TEXT NOT NULL,
    tier TEXT,
    price TEXT NOT NULL,
    pay_interval TEXT,
    quantity BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    started_at BIGINT NOT NULL,
    period_end BIGINT,
    cancel_at BIGINT,
    trial_end BIGINT,
    collection_paused TEXT,
    latest_invoice TEXT,
    past_due_since BIGINT,
    read_at BIGINT NOT NULL,
    PRIMARY KEY (mode, stripe_subscription_id)
);
CREATE INDEX subscription_by_account ON subscription (account, mode);

CREATE TABLE checkout_attempt (
    id TEXT PRIMARY KEY,
    account TEXT NOT NULL REFERENCES account (id),
    mode TEXT NOT NULL,
    platform TEXT NOT NULL,
    workspace TEXT NOT NULL,
    member TEXT NOT NULL,
    tier TEXT NOT NULL,
    pay_interval TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('open', 'complete', 'expired', 'superseded')),
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    session TEXT UNIQUE,
    url TEXT
);
CREATE UNIQUE INDEX checkout_attempt_open ON checkout_attempt (account, mode) WHERE status = 'open';
CREATE INDEX checkout_attempt_by_account ON checkout_attempt (account, mode, created_at);

CREATE TABLE stripe_event (
    id TEXT PRIMARY KEY,
    type TEXT NOT NULL,
    mode TEXT NOT NULL,
    stripe_customer_id TEXT,
    status TEXT NOT NULL CHECK (status IN ('pending', 'applied', 'ignored')),
    payload BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    received_at BIGINT NOT NULL,
    applied_at BIGINT
);
CREATE INDEX stripe_event_pending ON stripe_event (mode, stripe_customer_id) WHERE status = 'pending';

-- Customers to be read from Stripe: gen counts the hints, done_gen is the last one that was acted on.
CREATE TABLE sync_queue (
    mode TEXT NOT NULL,
    stripe_customer_id TEXT NOT NULL,
    gen BIGINT NOT NULL,
    done_gen BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    lease_until BIGINT NOT NULL,
    lease_token TEXT NOT NULL,
    fails BIGINT NOT NULL,
    error TEXT NOT NULL,
    PRIMARY KEY (mode, stripe_customer_id)
);
CREATE INDEX sync_queue_due ON sync_queue (due_at) WHERE gen > done_gen;

CREATE TABLE tier_change (
    account TEXT NOT NULL REFERENCES account (id),
    mode TEXT NOT NULL,
    number BIGINT NOT NULL,
    tier_before TEXT NOT NULL,
    tier_after TEXT NOT NULL,
    reason TEXT NOT NULL,
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (account, mode, number)
);

CREATE TABLE notice (
    id TEXT PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    account TEXT NOT NULL REFERENCES account (id),
    platform TEXT NOT NULL,
    workspace TEXT NOT NULL,
    member TEXT NOT NULL,
    kind TEXT NOT NULL,
    tier TEXT NOT NULL,
    valid_until BIGINT,
    simulated BIGINT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('owed', 'kept', 'sent')),
    attempts BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    sent_at BIGINT
);
CREATE INDEX notice_owed ON notice (due_at) WHERE state = 'owed';
CREATE INDEX notice_by_account ON notice (account, created_at);

-- The objects of the simulated Stripe.
CREATE TABLE simulated_object (
    number BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    owner TEXT NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX simulated_object_by_owner ON simulated_object (kind, owner, number);

-- The messages of the playground; audience is null when all see one.
CREATE TABLE local_message (
    number BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    room TEXT NOT NULL,
    author TEXT NOT NULL,
    audience TEXT,
    body TEXT NOT NULL,
    shown_at BIGINT
);
CREATE INDEX local_message_by_audience ON local_message (audience, number);
