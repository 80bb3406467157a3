-- name: note_deed
INSERT INTO audit (at, actor, origin, deed, subject, detail)
VALUES (:at, :actor, :origin, :deed, :subject, :detail);

-- name: deeds
SELECT number, at, actor, origin, deed, subject, detail
FROM audit
WHERE number < :before
ORDER BY number DESC
LIMIT :most;

-- name: find_deeds
SELECT number, at, actor, origin, deed, subject, detail
FROM audit
WHERE number < :before AND deed = COALESCE(:deed, deed)
    AND LOWER(actor || ' ' || deed || ' ' || subject || ' ' || detail) LIKE :pattern ESCAPE '\'
ORDER BY number DESC
LIMIT :most OFFSET :skip;

-- name: count_deeds
SELECT COUNT(*) AS deeds
FROM audit
WHERE deed = COALESCE(:deed, deed)
    AND LOWER(actor || ' ' || deed || ' ' || subject || ' ' || detail) LIKE :pattern ESCAPE '\';
