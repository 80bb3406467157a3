-- Counts behind the operator's figures, written with what they count; they name nobody, and stay when that is erased.
-- What a kind counts, by hours or days since 1970 and by which names, is in engine/tallies.py. A count is the sum of
-- its slots, so that processes seldom wait for each other.
CREATE TABLE tally (
    kind TEXT NOT NULL,
    mode TEXT NOT NULL,
    period BIGINT NOT NULL,
    tier TEXT NOT NULL,
    provider TEXT NOT NULL,
    model TEXT NOT NULL,
    detail TEXT NOT NULL,
    slot BIGINT NOT NULL,
    times BIGINT NOT NULL,
    turns BIGINT NOT NULL,
    unpriced BIGINT NOT NULL,
    input_tokens BIGINT NOT NULL,
    output_tokens BIGINT NOT NULL,
    cost BIGINT NOT NULL,
    PRIMARY KEY (kind, mode, period, tier, provider, model, detail, slot)
);

-- What moved the MRR of a tier on a day: kind is that of the movements, or balance for what the tier gained or lost,
-- and the accounts that pay with it. Fractions of one denominator are added as whole numbers.
CREATE TABLE mrr_day (
    mode TEXT NOT NULL,
    day BIGINT NOT NULL,
    currency TEXT NOT NULL,
    tier TEXT NOT NULL,
    kind TEXT NOT NULL,
    denominator BIGINT NOT NULL,
    times BIGINT NOT NULL,
    numerator BIGINT NOT NULL,
    PRIMARY KEY (mode, day, currency, tier, kind, denominator)
);

-- The tier with which a conversation began to be counted; null for what is older.
ALTER TABLE conversation ADD COLUMN tier TEXT;

-- What an account pays for in a month, its team's seats too; cost is what of it is its own.
ALTER TABLE spend ADD COLUMN whole BIGINT NOT NULL DEFAULT 0;
ALTER TABLE spend ADD COLUMN requests BIGINT NOT NULL DEFAULT 0;

-- The ledger by the account that pays, and by months since year 0, counted from days as the calendar runs.
CREATE TABLE payer_month (account TEXT NOT NULL, month BIGINT NOT NULL, requests BIGINT NOT NULL, whole BIGINT NOT NULL);
INSERT INTO payer_month (account, month, requests, whole)
SELECT account, y * 12 + m - 1 + CASE WHEN m <= 2 THEN 12 ELSE 0 END, COUNT(*), SUM(COALESCE(cost, 0))
FROM (
    SELECT account, cost, yoe + era * 400 AS y,
        (5 * (doe - (365 * yoe + yoe / 4 - yoe / 100)) + 2) / 153
            + CASE WHEN (5 * (doe - (365 * yoe + yoe / 4 - yoe / 100)) + 2) / 153 < 10 THEN 3 ELSE -9 END AS m
    FROM (
        SELECT account, cost, era, doe, (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365 AS yoe
        FROM (
            SELECT account, cost, z / 146097 AS era, z - z / 146097 * 146097 AS doe
            FROM (
                SELECT COALESCE(t.owner, c.account) AS account, c.cost, c.began_at / 86400000000 + 719468 AS z
                FROM charge c LEFT JOIN (SELECT DISTINCT owner FROM team) AS t
                    ON c.purse = 'team:' || t.owner OR c.purse LIKE 'team:' || t.owner || '/%'
                WHERE c.account IS NOT NULL
            ) AS days
        ) AS eras
    ) AS years
) AS months
GROUP BY 1, 2;
INSERT INTO spend (account, month, cost, whole, requests)
SELECT account, month, 0, whole, requests FROM payer_month WHERE TRUE
ON CONFLICT (account, month) DO UPDATE SET whole = excluded.whole, requests = excluded.requests;
DROP TABLE payer_month;
CREATE INDEX spend_by_cost ON spend (month, whole, account);
CREATE INDEX usage_event_by_time ON usage_event (mode, used_at);

-- What older rows tell; nobody knows the tiers of old turns any more, or how requests to vendors went.
INSERT INTO tally (
    kind, mode, period, tier, provider, model, detail, slot, times, turns, unpriced, input_tokens, output_tokens, cost
)
SELECT kind, '', period, tier, provider, model, purpose, 0, SUM(times), SUM(turns), SUM(unpriced), SUM(input_tokens),
    SUM(output_tokens), SUM(cost)
FROM (
    SELECT 'usage' AS kind, began_at / 86400000000 AS period, COALESCE(tier, '') AS tier, provider, model, purpose,
        1 AS times, 0 AS turns, CASE WHEN cost IS NULL THEN 1 ELSE 0 END AS unpriced, input_tokens, output_tokens,
        COALESCE(cost, 0) AS cost
    FROM charge
    UNION ALL
    SELECT 'usage', started_at / 86400000000, COALESCE(tier, ''),
        COALESCE((SELECT MAX(c.provider) FROM charge c WHERE c.turn = t.id AND c.model = t.model), provider, ''),
        model, 'answer', 0, 1, 0, 0, 0, 0
    FROM turn t
    WHERE state = 'settled'
) AS used
GROUP BY kind, period, tier, provider, model, purpose;
INSERT INTO tally (
    kind, mode, period, tier, provider, model, detail, slot, times, turns, unpriced, input_tokens, output_tokens, cost
)
SELECT kind, mode, period, tier, '', '', detail, 0, SUM(times), 0, 0, 0, 0, SUM(cost)
FROM (
    SELECT 'conversation' AS kind, '' AS mode, day AS period, '' AS tier, '' AS detail, 1 AS times, 0 AS cost
    FROM conversation
    WHERE live_turns > 0
    UNION ALL SELECT 'tier', mode, changed_at / 86400000000, tier_after, '', 1, 0 FROM tier_change
    UNION ALL SELECT 'tier', mode, changed_at / 86400000000, tier_before, '', -1, 0 FROM tier_change
    UNION ALL SELECT 'step', mode, reached_at / 86400000000, '', step, 1, 0 FROM funnel
    UNION ALL SELECT 'metered', mode, used_at / 86400000000, 'pro', '', 1, cost FROM usage_event
    UNION ALL
    SELECT 'delivery', mode, received_at / 3600000000, '', CASE WHEN status = 'ignored' THEN 'ignored' ELSE 'taken' END,
        1, 0
    FROM stripe_event
    UNION ALL
    SELECT 'applied', mode, received_at / 3600000000, '', CASE
        WHEN applied_at - received_at <= 100000 THEN '100'
        WHEN applied_at - received_at <= 200000 THEN '200'
        WHEN applied_at - received_at <= 300000 THEN '300'
        WHEN applied_at - received_at <= 500000 THEN '500'
        WHEN applied_at - received_at <= 750000 THEN '750'
        WHEN applied_at - received_at <= 1000000 THEN '1000'
        WHEN applied_at - received_at <= 1500000 THEN '1500'
        WHEN applied_at - received_at <= 2000000 THEN '2000'
        WHEN applied_at - received_at <= 3000000 THEN '3000'
        WHEN applied_at - received_at <= 5000000 THEN '5000'
        WHEN applied_at - received_at <= 8000000 THEN '8000'
        WHEN applied_at - received_at <= 13000000 THEN '13000'
        WHEN applied_at - received_at <= 20000000 THEN '20000'
        WHEN applied_at - received_at <= 30000000 THEN '30000'
        WHEN applied_at - received_at <= 60000000 THEN '60000'
        WHEN applied_at - received_at <= 120000000 THEN '120000'
        WHEN applied_at - received_at <= 300000000 THEN '300000'
        WHEN applied_at - received_at <= 900000000 THEN '900000'
        ELSE 'more' END, 1, 0
    FROM stripe_event
    WHERE status = 'applied'
) AS counted
GROUP BY kind, mode, period, tier, detail;

-- A fraction's text without its last digits ends in the slash before its denominator.
INSERT INTO mrr_day (mode, day, currency, tier, kind, denominator, times, numerator)
SELECT mode, day, currency, tier, kind,
    CAST(SUBSTR(amount, LENGTH(RTRIM(amount, '0123456789')) + 1) AS BIGINT), SUM(times),
    SUM(sign * CAST(RTRIM(RTRIM(amount, '0123456789'), '/') AS BIGINT))
FROM (
    SELECT mode, moved_at / 86400000000 AS day, currency, tier, kind, delta AS amount, 1 AS times, 1 AS sign
    FROM mrr_movement
    UNION ALL
    SELECT mode, moved_at / 86400000000, currency, tier, 'balance', mrr_after,
        CASE WHEN mrr_after LIKE '0/%' THEN 0 ELSE 1 END, 1
    FROM mrr_movement
    UNION ALL
    SELECT m.mode, m.moved_at / 86400000000, b.currency, b.tier, 'balance', b.mrr_after,
        CASE WHEN b.mrr_after LIKE '0/%' THEN 0 ELSE -1 END, -1
    FROM mrr_movement m
        JOIN mrr_movement b ON b.account = m.account AND b.mode = m.mode AND b.number = m.number - 1
) AS changes
GROUP BY 1, 2, 3, 4, 5, 6;
