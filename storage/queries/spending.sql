-- name: add_charge
INSERT INTO charge (
    turn, account, purse, purpose, model, provider, input_tokens, cached_input_tokens, cache_written_tokens,
    output_tokens, reasoning_tokens, estimated, cost, began_at, at, tier
) VALUES (
    :turn, :account, :purse, :purpose, :model, :provider, :input_tokens, :cached_input_tokens, :cache_written_tokens,
    :output_tokens, :reasoning_tokens, :estimated, :cost, :began_at, :at, :tier
);

-- name: drop_charges
DELETE FROM charge
WHERE turn = :turn
RETURNING number, turn, account, purse, purpose, model, provider, input_tokens, cached_input_tokens,
    cache_written_tokens, output_tokens, reasoning_tokens, estimated, cost, began_at, at, tier;

-- name: charges
SELECT number, turn, account, purse, purpose, model, provider, input_tokens, cached_input_tokens,
    cache_written_tokens, output_tokens, reasoning_tokens, estimated, cost, began_at, at, tier
FROM charge
WHERE began_at >= :since AND began_at < :until
ORDER BY number;

-- Most turns count in three purses, and one statement is a third of the way to a database elsewhere.
-- name: add_to_purses
INSERT INTO purse (scope, period, spent)
SELECT scope, period, cost
FROM (
    SELECT CAST(:scope_0 AS TEXT) AS scope, CAST(:period_0 AS BIGINT) AS period, CAST(:cost_0 AS BIGINT) AS cost
    UNION ALL SELECT CAST(:scope_1 AS TEXT), CAST(:period_1 AS BIGINT), CAST(:cost_1 AS BIGINT)
    UNION ALL SELECT CAST(:scope_2 AS TEXT), CAST(:period_2 AS BIGINT), CAST(:cost_2 AS BIGINT)
) AS added
WHERE scope <> ''
ON CONFLICT (scope, period) DO UPDATE SET spent = purse.spent + excluded.spent;

-- name: lock_purse
INSERT INTO purse (scope, period, spent) VALUES (:scope, :period, 0)
ON CONFLICT (scope, period) DO UPDATE SET spent = purse.spent;

-- What a turn reserved is gone once it is settled, released, or lost and written down as spent.
-- name: purse
SELECT
    (SELECT COALESCE(SUM(spent), 0) FROM purse WHERE scope = :scope AND period = :period) AS spent,
    (
        SELECT COALESCE(SUM(r.amount), 0)
        FROM reservation r
        WHERE r.scope = :scope AND r.period = :period
    ) + (
        SELECT COALESCE(SUM(asked_cost), 0)
        FROM owed_summary
        WHERE asked_cost IS NOT NULL AND (:scope = 'bot' OR 'vendor:' || asked_provider = :scope)
    ) AS held;

-- name: reserve
INSERT INTO reservation (turn, scope, period, amount) VALUES (:turn, :scope, :period, :amount);

-- name: drop_reservations
DELETE FROM reservation WHERE turn = :turn;

-- Another vendor than the one that is charged for a lost turn may have been asked as well: it has no room for that.
-- name: drop_booked
DELETE FROM reservation
WHERE turn = :turn AND (scope = :vendor OR scope NOT LIKE 'vendor:%')
RETURNING scope, amount;
