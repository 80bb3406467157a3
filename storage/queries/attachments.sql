-- name: attach
INSERT INTO attachment (turn, position, name, media_type, width, height, data)
VALUES (:turn, :position, :name, :media_type, :width, :height, :data);

-- name: attached
SELECT name, media_type, width, height, data FROM attachment WHERE turn = :turn ORDER BY position;

-- name: attach_pdf
INSERT INTO pdf (turn, position, name, pages, start, stop, data)
VALUES (:turn, :position, :name, :pages, :start, :stop, :data);

-- name: attached_pdfs
SELECT name, pages, start, stop, data FROM pdf WHERE turn = :turn ORDER BY position;
