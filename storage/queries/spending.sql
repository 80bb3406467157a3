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

-- Most turns count in two to four purses, and one statement is a quarter of the way to a database elsewhere.
-- Nothing is added where they are only to be locked.
-- name: add_to_purses
INSERT INTO purse (scope, period, spent)
SELECT scope, period, cost
FROM (
    SELECT CAST(:scope_0 AS TEXT) AS scope, CAST(:period_0 AS BIGINT) AS period, CAST(:cost_0 AS BIGINT) AS cost
    UNION ALL SELECT CAST(:scope_1 AS TEXT), CAST(:period_1 AS BIGINT), CAST(:cost_1 AS BIGINT)
    UNION ALL SELECT CAST(:scope_2 AS TEXT), CAST(:period_2 AS BIGINT), CAST(:cost_2 AS BIGINT)
    UNION ALL SELECT CAST(:scope_3 AS TEXT), CAST(:period_3 AS BIGINT), CAST(:cost_3 AS BIGINT)
) AS added
WHERE scope <> ''
ON CONFLICT (scope, period) DO UPDATE SET spent = purse.spent + excluded.spent;

-- What a turn reserved is gone once it is settled, released, or lost and written down as spent.
-- name: purses
SELECT
    p.scope,
    (SELECT COALESCE(SUM(u.spent), 0) FROM purse u WHERE u.scope = p.scope AND u.period = p.period) AS spent,
    (
        SELECT COALESCE(SUM(r.amount), 0)
        FROM reservation r
        WHERE r.scope = p.scope AND r.period = p.period
    ) + (
        SELECT COALESCE(SUM(o.asked_cost), 0)
        FROM owed_summary o
        WHERE o.asked_cost IS NOT NULL AND (p.scope = 'bot' OR 'vendor:' || o.asked_provider = p.scope)
    ) AS held
FROM (
    SELECT CAST(:scope_0 AS TEXT) AS scope, CAST(:period_0 AS BIGINT) AS period
    UNION ALL SELECT CAST(:scope_1 AS TEXT), CAST(:period_1 AS BIGINT)
    UNION ALL SELECT CAST(:scope_2 AS TEXT), CAST(:period_2 AS BIGINT)
    UNION ALL SELECT CAST(:scope_3 AS TEXT), CAST(:period_3 AS BIGINT)
) AS p
WHERE p.scope <> '';

-- Where a seat's use is counted: `engine.spending.seat`.
-- name: team_purses
SELECT
    p.scope,
    (SELECT COALESCE(SUM(u.spent), 0) FROM purse u WHERE u.scope = p.scope AND u.period = :period) AS spent,
    (SELECT COALESCE(SUM(r.amount), 0) FROM reservation r WHERE r.scope = p.scope AND r.period = :period) AS held
FROM (
    SELECT CAST(:whole AS TEXT) AS scope, 0 AS number
    UNION ALL SELECT CAST(:whole AS TEXT) || '/' || id, 1 FROM account WHERE id = :owner
    UNION ALL SELECT CAST(:whole AS TEXT) || '/' || account, number FROM seat WHERE owner = :owner AND mode = :mode
) AS p
ORDER BY p.number;

-- name: reserve
INSERT INTO reservation (turn, scope, period, amount)
SELECT CAST(:turn AS TEXT), scope, period, amount
FROM (
    SELECT CAST(:scope_0 AS TEXT) AS scope, CAST(:period_0 AS BIGINT) AS period, CAST(:amount_0 AS BIGINT) AS amount
    UNION ALL SELECT CAST(:scope_1 AS TEXT), CAST(:period_1 AS BIGINT), CAST(:amount_1 AS BIGINT)
    UNION ALL SELECT CAST(:scope_2 AS TEXT), CAST(:period_2 AS BIGINT), CAST(:amount_2 AS BIGINT)
    UNION ALL SELECT CAST(:scope_3 AS TEXT), CAST(:period_3 AS BIGINT), CAST(:amount_3 AS BIGINT)
) AS held
WHERE scope <> '';

-- name: drop_reservations
DELETE FROM reservation WHERE turn = :turn;

-- Another vendor than the one that is charged for a lost turn may have been asked as well: it has no room for that.
-- name: drop_booked
DELETE FROM reservation
WHERE turn = :turn AND (scope = :vendor OR scope NOT LIKE 'vendor:%')
RETURNING scope, amount;
