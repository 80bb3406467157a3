-- name: recorded
SELECT c.number, c.turn, c.account, c.purse, c.purpose, c.model, c.provider, c.input_tokens, c.cached_input_tokens,
    c.cache_written_tokens, c.output_tokens, c.reasoning_tokens, c.estimated, c.cost, c.began_at, c.tier,
    t.conversation, t.batch, t.state, t.asked_model, t.estimate, v.started_at AS opened_at,
    CASE WHEN u.conversation IS NULL THEN 0 ELSE 1 END AS on_credit,
    CASE WHEN t.state = 'released' AND t.outcome IN ('stopped', 'moderated', 'unchecked') THEN 1 ELSE 0 END AS ended
FROM charge c
LEFT JOIN turn t ON t.id = c.turn
LEFT JOIN conversation v ON v.id = t.conversation
LEFT JOIN credit_use u ON u.conversation = t.conversation
WHERE c.began_at >= :since AND c.began_at < :until AND (c.began_at, c.number) > (:at, :number)
ORDER BY c.began_at, c.number
LIMIT :most;

-- name: metered_in
SELECT account, SUM(cost) AS cost, MAX(used_at) AS last
FROM usage_event
WHERE mode = :mode AND used_at >= :since AND used_at < :until
GROUP BY account
ORDER BY account;
