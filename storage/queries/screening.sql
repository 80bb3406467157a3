-- name: note_look
INSERT INTO screening (id, about, account, turn, screen, finding, categories, at)
VALUES (
    :id, :about, COALESCE(:account, (SELECT account FROM turn WHERE id = :turn)), :turn, :screen, :finding,
    :categories, :at
)
ON CONFLICT (id) DO UPDATE SET finding = excluded.finding, categories = excluded.categories;

-- name: looks_of
SELECT COUNT(*) AS looks FROM screening WHERE account = :account AND turn IS NULL AND at > :since;

-- name: looks
SELECT finding, COUNT(*) AS looks FROM screening WHERE at >= :since AND at < :until GROUP BY finding;
