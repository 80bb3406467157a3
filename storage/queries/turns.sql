-- name: claim
INSERT INTO claim (key, claimed_at) VALUES (:key, :now) ON CONFLICT (key) DO NOTHING;

-- name: forget_claims
DELETE FROM claim WHERE claimed_at < :before;

-- name: usage_counts
SELECT
    (SELECT COUNT(*) FROM conversation WHERE account = :account AND day = :day AND live_turns > 0)
        AS conversations_today,
    (SELECT COUNT(*) FROM turn WHERE account = :account AND state = 'held') AS at_once,
    (SELECT COALESCE(SUM(estimate), 0) FROM turn WHERE account = :account AND state = 'held') AS estimates,
    (SELECT COALESCE(SUM(cost), 0) FROM spend WHERE account = :account AND month = :month) AS spent;

-- name: spent
SELECT
    (SELECT COALESCE(SUM(cost), 0) FROM spend WHERE account = :account AND month = :month) AS spent,
    (
        SELECT COALESCE(SUM(cost), 0)
        FROM turn
        WHERE account = :account AND state = 'released' AND started_at >= :since AND started_at < :until
    ) AS released;

-- name: recent_turns
SELECT started_at
FROM turn
WHERE account = :account AND started_at > :since
    AND (state IN ('held', 'settled') OR (state = 'released' AND outcome = 'stopped'))
ORDER BY started_at;

-- name: add_spend
INSERT INTO spend (account, month, cost) VALUES (:account, :month, :cost)
ON CONFLICT (account, month) DO UPDATE SET cost = spend.cost + excluded.cost;

-- name: hold
INSERT INTO turn (
    id, account, conversation, key, state, asked_model, model, prompt, answer, estimate, cost,
    input_tokens, cached_input_tokens, output_tokens, tokens_estimated, outcome, owner, started_at, lease_until
) VALUES (
    :id, :account, :conversation, :key, 'held', :model, :model, :prompt, '', :estimate, NULL,
    0, 0, 0, 0, '', :owner, :started_at, :lease_until
);

-- name: lock_account_of_turn
UPDATE account SET seen_at = seen_at WHERE id = (SELECT account FROM turn WHERE id = :id);

-- name: turn
SELECT account, conversation, state, cost, outcome, started_at FROM turn WHERE id = :id;

-- name: settle
UPDATE turn
SET state = 'settled', model = :model, answer = :answer, cost = :cost, input_tokens = :input_tokens,
    cached_input_tokens = :cached_input_tokens, output_tokens = :output_tokens,
    tokens_estimated = :tokens_estimated, outcome = :outcome, settled_at = :settled_at
WHERE id = :id;

-- name: record_spend
UPDATE turn
SET model = :model, cost = :cost, input_tokens = :input_tokens, cached_input_tokens = :cached_input_tokens,
    output_tokens = :output_tokens, tokens_estimated = :tokens_estimated, settled_at = :settled_at
WHERE id = :id;

-- name: release
UPDATE turn SET state = 'released', outcome = :outcome, settled_at = :now
WHERE id = :id AND state = 'held'
RETURNING conversation;

-- name: renew_lease
UPDATE turn SET lease_until = :until WHERE id = :id AND state = 'held';

-- name: accounts_with_expired
SELECT DISTINCT account FROM turn WHERE state = 'held' AND lease_until <= :now ORDER BY account;

-- name: release_expired_of
UPDATE turn SET state = 'released', outcome = 'expired', settled_at = :now
WHERE state = 'held' AND lease_until <= :now AND account = :account
RETURNING conversation;
