-- name: attach
INSERT INTO attachment (turn, position, name, media_type, width, height, data)
VALUES (:turn, :position, :name, :media_type, :width, :height, :data);

-- name: attached
SELECT name, media_type, width, height, data FROM attachment WHERE turn = :turn ORDER BY position;
