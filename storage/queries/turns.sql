-- name: claim
INSERT INTO claim (key, claimed_at) VALUES (:key, :now) ON CONFLICT (key) DO NOTHING;

-- name: forget_claims
DELETE FROM claim WHERE claimed_at < :before;

-- The counts, in a row for each question of late, and in one without if there was none.
-- name: usage
SELECT counts.conversations_today, counts.at_once, counts.estimates, counts.spent, lately.asked_at
FROM (
    SELECT
        (SELECT COUNT(*) FROM conversation WHERE account = :account AND day = :day AND live_turns > 0) - (
            SELECT COUNT(*)
            FROM credit_use AS u JOIN conversation AS v ON v.id = u.conversation
            WHERE u.account = :account AND v.day = :day AND v.live_turns > 0
        ) AS conversations_today,
        (SELECT COUNT(DISTINCT COALESCE(batch, id)) FROM turn WHERE account = :account AND state = 'held')
            AS at_once,
        (
            SELECT COALESCE(SUM(estimate), 0)
            FROM turn
            WHERE account = :account AND state = 'held' AND COALESCE(purse, '') NOT LIKE 'team:%'
        ) + (
            SELECT COALESCE(SUM(estimate), 0)
            FROM turn
            WHERE account = :account AND started_at >= :month_start AND state = 'released' AND outcome = 'expired'
                AND cost IS NULL AND provider IS NOT NULL AND COALESCE(purse, '') NOT LIKE 'team:%'
        ) AS estimates,
        (SELECT COALESCE(SUM(cost), 0) FROM spend WHERE account = :account AND month = :month) AS spent
) AS counts LEFT JOIN (
    SELECT MIN(started_at) AS asked_at
    FROM turn
    WHERE account = :account AND started_at > :lately
        AND (state IN ('held', 'settled') OR (state = 'released' AND outcome IN ('stopped', 'moderated', 'unchecked')))
    GROUP BY COALESCE(batch, id)
) AS lately ON 1 = 1
ORDER BY lately.asked_at;

-- name: spent
SELECT
    (SELECT COALESCE(SUM(cost), 0) FROM spend WHERE account = :account AND month = :month) AS spent,
    (
        SELECT COALESCE(SUM(cost), 0)
        FROM turn
        WHERE account = :account AND state = 'released' AND started_at >= :since AND started_at < :until
            AND COALESCE(purse, '') NOT LIKE 'team:%'
    ) AS released;

-- The owner of a team may have been erased while a seat of it was answered.
-- name: add_spend
INSERT INTO spend (account, month, cost, whole, requests)
SELECT id, CAST(:month AS BIGINT), CAST(:cost AS BIGINT), CAST(:whole AS BIGINT), CAST(:requests AS BIGINT)
FROM account
WHERE id = :account
ON CONFLICT (account, month) DO UPDATE SET
    cost = spend.cost + excluded.cost, whole = spend.whole + excluded.whole,
    requests = spend.requests + excluded.requests;

-- name: hold
INSERT INTO turn (
    id, account, conversation, key, state, asked_model, model, prompt, answer, estimate, cost,
    input_tokens, cached_input_tokens, output_tokens, tokens_estimated, outcome, owner, started_at, lease_until,
    parent, batch, images, pdfs, purse, provider, tier
) VALUES (
    :id, :account, :conversation, :key, 'held', :model, :model, :prompt, '', :estimate, NULL,
    0, 0, 0, 0, '', :owner, :started_at, :lease_until,
    :parent, :batch, :images, :pdfs, :purse, :provider, :tier
);

-- name: lock_account_of_turn
UPDATE account SET seen_at = seen_at WHERE id = (SELECT account FROM turn WHERE id = :id);

-- name: turn_to_write
SELECT account, conversation, state, outcome, started_at, purse, provider, tier,
    (SELECT COUNT(*) FROM reservation WHERE turn = :id) AS reserves
FROM turn
WHERE id = :id;

-- name: settle
UPDATE turn
SET state = 'settled', model = :model, answer = :answer, cost = :cost, input_tokens = :input_tokens,
    cached_input_tokens = :cached_input_tokens, output_tokens = :output_tokens,
    tokens_estimated = :tokens_estimated, outcome = :outcome, settled_at = :settled_at, place = NULL
WHERE id = :id;

-- Without a vendor nothing of it has to be guessed any more, even where its cost stays unknown.
-- name: record_spend
UPDATE turn
SET provider = NULL, model = :model, cost = :cost, input_tokens = :input_tokens, cached_input_tokens = :cached_input_tokens,
    output_tokens = :output_tokens, tokens_estimated = :tokens_estimated, settled_at = :settled_at
WHERE id = :id;

-- name: release
UPDATE turn SET state = 'released', outcome = :outcome, settled_at = :now, place = NULL
WHERE id = :id AND state = 'held'
RETURNING id, conversation;

-- name: renew_lease
UPDATE turn SET lease_until = :until WHERE id = :id AND state = 'held';

-- name: accounts_with_expired
SELECT DISTINCT account FROM turn WHERE state = 'held' AND lease_until <= :now ORDER BY account;

-- name: release_expired_of
UPDATE turn SET state = 'released', outcome = 'expired', settled_at = :now
WHERE state = 'held' AND lease_until <= :now AND account = :account
RETURNING id, conversation;

-- name: lost_turns
SELECT id, account
FROM turn
WHERE state = 'released' AND outcome = 'expired' AND cost IS NULL AND provider IS NOT NULL
ORDER BY account, started_at
LIMIT :most;

-- name: price_lost
UPDATE turn SET cost = estimate, tokens_estimated = 1
WHERE id = :id AND state = 'released' AND outcome = 'expired' AND cost IS NULL AND provider IS NOT NULL
RETURNING id, account, model, provider, estimate, purse, started_at, tier;

-- name: mark_place
UPDATE turn SET place = :place WHERE id = :id AND state = 'held';

-- name: orphans
SELECT t.id, a.platform, t.place, t.settled_at, COALESCE(a.language, a.locale) AS locale
FROM turn t JOIN account a ON a.id = t.account
WHERE t.state = 'released' AND t.place IS NOT NULL AND :platforms LIKE '%,' || a.platform || ',%'
ORDER BY t.settled_at
LIMIT :most;

-- name: forget_place
UPDATE turn SET place = NULL WHERE id = :id AND state = 'released';

-- name: rate
UPDATE turn SET good = :good WHERE id = :id AND account = :account AND state = 'settled';

-- name: ask_stop
UPDATE turn SET stop_asked_at = COALESCE(stop_asked_at, :now)
WHERE account = :account AND state = 'held'
RETURNING id;

-- name: ask_stop_of
UPDATE turn SET stop_asked_at = COALESCE(stop_asked_at, :now)
WHERE account = :account AND state = 'held'
    AND (id = :id OR batch = (SELECT asked.batch FROM turn AS asked WHERE asked.id = :id))
RETURNING id;

-- name: held_turns
SELECT id FROM turn
WHERE account = :account AND conversation = :conversation AND state = 'held'
ORDER BY started_at, id;

-- name: stops_asked
SELECT id FROM turn WHERE owner = :owner AND state = 'held' AND stop_asked_at IS NOT NULL;
