-- name: note_deed
INSERT INTO audit (at, actor, origin, deed, subject, detail)
VALUES (:at, :actor, :origin, :deed, :subject, :detail);

-- name: deeds
SELECT number, at, actor, origin, deed, subject, detail
FROM audit
WHERE number < :before
ORDER BY number DESC
LIMIT :most;

-- name: newest_deeds
SELECT number, at, actor, origin, deed, subject, detail
FROM audit
WHERE deed = COALESCE(:deed, deed)
    AND LOWER(actor || ' ' || deed || ' ' || subject || ' ' || detail) LIKE :pattern ESCAPE '\'
ORDER BY number DESC
LIMIT :most OFFSET :skip;

-- name: oldest_deeds
SELECT number, at, actor, origin, deed, subject, detail
FROM audit
WHERE deed = COALESCE(:deed, deed)
    AND LOWER(actor || ' ' || deed || ' ' || subject || ' ' || detail) LIKE :pattern ESCAPE '\'
ORDER BY number
LIMIT :most OFFSET :skip;

-- Those without the word stand last, whichever way.
-- name: sorted_deeds
SELECT number, at, actor, origin, deed, subject, detail
FROM (
    SELECT number, at, actor, origin, deed, subject, detail,
        LOWER(
            CASE CAST(:word AS TEXT)
                WHEN 'actor' THEN actor WHEN 'origin' THEN origin WHEN 'deed' THEN deed
                WHEN 'subject' THEN subject ELSE detail
            END
        ) AS word
    FROM audit
) AS entry
WHERE deed = COALESCE(:deed, deed)
    AND LOWER(actor || ' ' || deed || ' ' || subject || ' ' || detail) LIKE :pattern ESCAPE '\'
ORDER BY CASE WHEN word = '' THEN 1 ELSE 0 END,
    CASE WHEN CAST(:rising AS BIGINT) = 1 THEN word END,
    CASE WHEN CAST(:rising AS BIGINT) = 0 THEN word END DESC,
    number DESC
LIMIT :most OFFSET :skip;

-- name: count_deeds
SELECT COUNT(*) AS deeds
FROM audit
WHERE deed = COALESCE(:deed, deed)
    AND LOWER(actor || ' ' || deed || ' ' || subject || ' ' || detail) LIKE :pattern ESCAPE '\';
