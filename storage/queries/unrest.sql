-- name: unrests
SELECT name, since, changed_at, down, downs, said, words FROM unrest ORDER BY name;

-- An update that changes nothing locks the row, and reads what a rival has written meanwhile.
-- name: hold_unrest
UPDATE unrest SET name = name WHERE name = :name
RETURNING name, since, changed_at, down, downs, said, words;

-- name: keep_unrest
INSERT INTO unrest (name, since, changed_at, down, downs, said, words)
VALUES (:name, :since, :changed_at, :down, :downs, :said, :words)
ON CONFLICT (name) DO UPDATE SET since = excluded.since, changed_at = excluded.changed_at, down = excluded.down,
    downs = excluded.downs, said = excluded.said, words = excluded.words;

-- name: forget_unrest
DELETE FROM unrest WHERE name = :name;
