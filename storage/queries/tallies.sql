-- name: add_tally
INSERT INTO tally (
    kind, mode, period, tier, provider, model, detail, slot,
    times, turns, unpriced, input_tokens, output_tokens, cost
) VALUES (
    :kind_0, :mode_0, :period_0, :tier_0, :provider_0, :model_0, :detail_0, :slot,
    :times_0, :turns_0, :unpriced_0, :input_tokens_0, :output_tokens_0, :cost_0
)
ON CONFLICT (kind, mode, period, tier, provider, model, detail, slot) DO UPDATE SET
    times = tally.times + excluded.times, turns = tally.turns + excluded.turns,
    unpriced = tally.unpriced + excluded.unpriced, input_tokens = tally.input_tokens + excluded.input_tokens,
    output_tokens = tally.output_tokens + excluded.output_tokens, cost = tally.cost + excluded.cost;

-- An answer counts in four rows: its use, how it ended, its first words and its end.
-- name: add_tallies
INSERT INTO tally (
    kind, mode, period, tier, provider, model, detail, slot,
    times, turns, unpriced, input_tokens, output_tokens, cost
)
SELECT kind, mode, period, tier, provider, model, detail, CAST(:slot AS BIGINT),
    times, turns, unpriced, input_tokens, output_tokens, cost
FROM (
    SELECT CAST(:kind_0 AS TEXT) AS kind, CAST(:mode_0 AS TEXT) AS mode, CAST(:period_0 AS BIGINT) AS period,
        CAST(:tier_0 AS TEXT) AS tier, CAST(:provider_0 AS TEXT) AS provider, CAST(:model_0 AS TEXT) AS model,
        CAST(:detail_0 AS TEXT) AS detail, CAST(:times_0 AS BIGINT) AS times, CAST(:turns_0 AS BIGINT) AS turns,
        CAST(:unpriced_0 AS BIGINT) AS unpriced, CAST(:input_tokens_0 AS BIGINT) AS input_tokens,
        CAST(:output_tokens_0 AS BIGINT) AS output_tokens, CAST(:cost_0 AS BIGINT) AS cost
    UNION ALL
    SELECT CAST(:kind_1 AS TEXT), CAST(:mode_1 AS TEXT), CAST(:period_1 AS BIGINT), CAST(:tier_1 AS TEXT),
        CAST(:provider_1 AS TEXT), CAST(:model_1 AS TEXT), CAST(:detail_1 AS TEXT), CAST(:times_1 AS BIGINT),
        CAST(:turns_1 AS BIGINT), CAST(:unpriced_1 AS BIGINT), CAST(:input_tokens_1 AS BIGINT),
        CAST(:output_tokens_1 AS BIGINT), CAST(:cost_1 AS BIGINT)
    UNION ALL
    SELECT CAST(:kind_2 AS TEXT), CAST(:mode_2 AS TEXT), CAST(:period_2 AS BIGINT), CAST(:tier_2 AS TEXT),
        CAST(:provider_2 AS TEXT), CAST(:model_2 AS TEXT), CAST(:detail_2 AS TEXT), CAST(:times_2 AS BIGINT),
        CAST(:turns_2 AS BIGINT), CAST(:unpriced_2 AS BIGINT), CAST(:input_tokens_2 AS BIGINT),
        CAST(:output_tokens_2 AS BIGINT), CAST(:cost_2 AS BIGINT)
    UNION ALL
    SELECT CAST(:kind_3 AS TEXT), CAST(:mode_3 AS TEXT), CAST(:period_3 AS BIGINT), CAST(:tier_3 AS TEXT),
        CAST(:provider_3 AS TEXT), CAST(:model_3 AS TEXT), CAST(:detail_3 AS TEXT), CAST(:times_3 AS BIGINT),
        CAST(:turns_3 AS BIGINT), CAST(:unpriced_3 AS BIGINT), CAST(:input_tokens_3 AS BIGINT),
        CAST(:output_tokens_3 AS BIGINT), CAST(:cost_3 AS BIGINT)
) AS added
WHERE kind <> ''
ON CONFLICT (kind, mode, period, tier, provider, model, detail, slot) DO UPDATE SET
    times = tally.times + excluded.times, turns = tally.turns + excluded.turns,
    unpriced = tally.unpriced + excluded.unpriced, input_tokens = tally.input_tokens + excluded.input_tokens,
    output_tokens = tally.output_tokens + excluded.output_tokens, cost = tally.cost + excluded.cost;

-- name: tallies
SELECT kind, mode, period / CAST(:step AS BIGINT) * CAST(:step AS BIGINT) AS first, tier, provider, model, detail,
    SUM(times) AS times, SUM(turns) AS turns, SUM(unpriced) AS unpriced, SUM(input_tokens) AS input_tokens,
    SUM(output_tokens) AS output_tokens, SUM(cost) AS cost
FROM tally
WHERE kind = :kind AND mode = :mode AND period >= :since AND period < :until
GROUP BY 1, 2, 3, 4, 5, 6, 7
ORDER BY 3, 4, 5, 6, 7;

-- name: add_mrr_day
INSERT INTO mrr_day (mode, day, currency, tier, kind, denominator, times, numerator)
VALUES (:mode, :day, :currency, :tier, :kind, :denominator, :times, :numerator)
ON CONFLICT (mode, day, currency, tier, kind, denominator) DO UPDATE SET
    times = mrr_day.times + excluded.times, numerator = mrr_day.numerator + excluded.numerator;

-- name: mrr_days
SELECT day, currency, tier, kind, denominator, times, numerator
FROM mrr_day
WHERE mode = :mode AND day < :until
ORDER BY day, currency, tier, kind, denominator;

-- name: movements_between
SELECT account, currency, kind, delta, mrr_after, voluntary
FROM mrr_movement
WHERE mode = :mode AND moved_at >= :since AND moved_at < :until
ORDER BY moved_at, account, number;

-- name: balances
SELECT account, moved_at, mrr_after, currency
FROM mrr_movement
WHERE mode = :mode AND moved_at < :until
ORDER BY account, number;

-- name: balances_of_dearest
SELECT account, moved_at, mrr_after, currency
FROM mrr_movement
WHERE mode = :mode AND moved_at < :until
    AND account IN (
        SELECT account FROM spend WHERE month = :month ORDER BY whole DESC, account DESC LIMIT :most
    )
ORDER BY account, number;

-- name: metered_costs
SELECT account, SUM(cost) AS cost
FROM usage_event
WHERE mode = :mode AND used_at >= :since AND used_at < :until
GROUP BY account;

-- name: waiting
SELECT 'customers' AS kind, COUNT(*) AS waiting, MIN(CASE WHEN due_at <= :now THEN due_at END) AS oldest
FROM sync_queue
WHERE gen > done_gen AND dead = 0 AND mode = :mode
UNION ALL
SELECT 'duties', COUNT(*), MIN(CASE WHEN due_at <= :now THEN due_at END)
FROM duty
WHERE state = 'owed' AND mode = :mode
UNION ALL
SELECT 'notices', COUNT(*), MIN(CASE WHEN due_at <= :now THEN due_at END)
FROM notice
WHERE state = 'owed' AND mode = :mode
UNION ALL
SELECT 'usage_reports', COUNT(*), MIN(CASE WHEN due_at <= :now THEN due_at END)
FROM usage_report
WHERE state = 'owed' AND mode = :mode
UNION ALL
SELECT 'summaries', COUNT(*), MIN(CASE WHEN due_at <= :now THEN due_at END)
FROM owed_summary
WHERE state = 'owed'
UNION ALL
SELECT 'alerts', COUNT(*), MIN(CASE WHEN due_at <= :now THEN due_at END)
FROM alert_owed
WHERE state = 'owed'
UNION ALL
SELECT 'answers', COUNT(*), MIN(started_at)
FROM turn
WHERE state = 'held';
