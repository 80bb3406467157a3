-- name: note_deed
INSERT INTO audit (at, actor, origin, deed, subject, detail)
VALUES (:at, :actor, :origin, :deed, :subject, :detail);

-- name: deeds
SELECT number, at, actor, origin, deed, subject, detail
FROM audit
WHERE number < :before
ORDER BY number DESC
LIMIT :most;
