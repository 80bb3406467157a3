-- Changing what is unique locks a row on PostgreSQL against rows that are about to name it, too; those of units
-- that are under way are waited for, and seen by what follows.
-- name: lock_to_erase
UPDATE account SET member = :name WHERE id = :account;

-- name: owns_team
SELECT 1 AS found FROM team WHERE owner = :account LIMIT 1;

-- name: unpriced_turns_of
SELECT id FROM turn
WHERE account = :account AND state = 'released' AND outcome = 'expired' AND cost IS NULL AND provider IS NOT NULL
ORDER BY id;

-- name: asked_summaries_of
SELECT o.conversation, o.tip, o.model, o.budget, o.attempts, o.token, o.asked_provider, o.asked_input, o.asked_output,
    o.asked_cost
FROM owed_summary o JOIN conversation c ON c.id = o.conversation
WHERE c.account = :account AND o.asked_cost IS NOT NULL;

-- name: pooled_conversations_of
SELECT id FROM conversation WHERE account = :account AND day = :day AND begun_free = 1 AND live_turns > 0;

-- name: keep_pooled
UPDATE conversation SET id = :fresh, account = :erased, model = NULL, tip = NULL WHERE id = :id;

-- name: open_checkouts_of
SELECT session, mode FROM checkout_attempt WHERE account = :account AND status = 'open' AND session IS NOT NULL;

-- name: usage_events_of
SELECT turn FROM usage_event WHERE account = :account;

-- name: rename_usage_event
UPDATE usage_event SET turn = :fresh WHERE turn = :turn;

-- name: make_erased
INSERT INTO account (id, platform, workspace, member, created_at, seen_at, erased_at, announcements)
VALUES (:id, :platform, '', :name, 0, 0, :now, 0);

-- name: trials_of
SELECT mode, trial_used_at FROM customer WHERE account = :account AND trial_used_at IS NOT NULL ORDER BY mode;

-- name: blocked_since
SELECT blocked_at FROM account WHERE id = :account;

-- name: cost_of_month
SELECT COALESCE(SUM(cost), 0) AS cost FROM spend WHERE account = :account AND month = :month;

-- name: keep_erased
INSERT INTO erased (digest, day, conversations, month, cost, trials, blocked_at, until)
VALUES (:digest, :day, :conversations, :month, :cost, :trials, :blocked_at, :until)
ON CONFLICT (digest) DO UPDATE SET
    day = excluded.day, conversations = excluded.conversations, month = excluded.month, cost = excluded.cost,
    trials = excluded.trials, blocked_at = excluded.blocked_at, until = excluded.until;

-- name: erasure_key
SELECT secret FROM erasure_key WHERE number = 1;

-- name: lock_erasure_key
UPDATE erasure_key SET secret = secret WHERE number = 1;

-- name: make_erasure_key
INSERT INTO erasure_key (number, secret) VALUES (1, :secret) ON CONFLICT (number) DO UPDATE SET secret = erasure_key.secret
RETURNING secret;

-- name: erased_use
SELECT day, conversations, month, cost, trials, blocked_at FROM erased WHERE digest = :digest AND until > :now;

-- name: forget_one_erased
DELETE FROM erased WHERE digest = :digest;

-- name: forget_erased
DELETE FROM erased WHERE until <= :now;

-- name: forget_erasure_key
DELETE FROM erasure_key WHERE NOT EXISTS (SELECT 1 FROM erased);

-- name: carry_conversation
INSERT INTO conversation (id, account, started_at, last_at, day, live_turns)
VALUES (:id, :account, :now, :now, :day, 1);

-- name: carry_spend
INSERT INTO spend (account, month, cost) VALUES (:account, :month, :cost);

-- name: carry_trial
INSERT INTO customer (account, mode, stripe_customer_id, epoch, trial_used_at) VALUES (:account, :mode, NULL, 0, :at);

-- name: carry_block
UPDATE account SET blocked_at = :at, blocked_why = '' WHERE id = :account;

-- name: texts_of_audit
SELECT number AS id, detail AS text FROM audit WHERE detail LIKE :like;

-- name: rewrite_audit
UPDATE audit SET detail = :text WHERE number = :id;

-- name: texts_of_alert
SELECT key AS id, detail AS text FROM alert WHERE detail LIKE :like;

-- name: rewrite_alert
UPDATE alert SET detail = :text WHERE key = :id;

-- name: subjects_of_alert
SELECT key AS id, subject AS text FROM alert WHERE subject LIKE :like;

-- name: resubject_alert
UPDATE alert SET subject = :text WHERE key = :id;

-- name: texts_of_object
SELECT id, body AS text FROM simulated_object WHERE body LIKE :like;

-- name: rewrite_object
UPDATE simulated_object SET body = :text WHERE id = :id;

-- name: owners_of_object
SELECT id, owner AS text FROM simulated_object WHERE owner LIKE :like;

-- name: reown_object
UPDATE simulated_object SET owner = :text WHERE id = :id;

-- name: every_local
SELECT id, room, author, audience, body, shown_at FROM local_message ORDER BY number;

-- name: drop_local
DELETE FROM local_message WHERE id = :id;

-- name: links_of_alert
SELECT key AS id, link AS text FROM alert WHERE link LIKE :like;

-- name: relink_alert
UPDATE alert SET link = :text WHERE key = :id;

-- What Stripe tells of a customer names it in its own words: no search for ours would find it.
-- name: payload_of_erased
SELECT 1 AS found
FROM stripe_event e
JOIN (
    SELECT account, mode, stripe_customer_id FROM customer
    UNION ALL
    SELECT account, mode, stripe_customer_id FROM former_customer
) c ON c.mode = e.mode AND c.stripe_customer_id = e.stripe_customer_id
JOIN account a ON a.id = c.account
WHERE LENGTH(e.payload) > 0 AND a.erased_at IS NOT NULL
LIMIT 1;
