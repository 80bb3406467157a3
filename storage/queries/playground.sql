-- name: put_object
INSERT INTO simulated_object (id, kind, owner, body) VALUES (:id, :kind, :owner, :body)
ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, owner = excluded.owner, body = excluded.body;

-- name: add_object
INSERT INTO simulated_object (id, kind, owner, body) VALUES (:id, :kind, :owner, :body)
ON CONFLICT (id) DO NOTHING;

-- name: get_object
SELECT id, kind, owner, body FROM simulated_object WHERE id = :id;

-- name: lock_object
UPDATE simulated_object SET body = body WHERE id = :id RETURNING id, kind, owner, body;

-- name: objects
SELECT id, kind, owner, body FROM simulated_object WHERE kind = :kind ORDER BY number;

-- name: objects_of
SELECT id, kind, owner, body FROM simulated_object WHERE kind = :kind AND owner = :owner ORDER BY number;

-- name: drop_object
DELETE FROM simulated_object WHERE id = :id;

-- name: put_local
INSERT INTO local_message (id, room, author, audience, body, shown_at)
VALUES (:id, :room, :author, :audience, :body, :at)
ON CONFLICT (id) DO UPDATE SET body = excluded.body, audience = excluded.audience;

-- name: get_local
SELECT id, room, author, audience, body, shown_at FROM local_message WHERE id = :id;

-- name: local_messages
SELECT id, room, author, audience, body, shown_at
FROM local_message
WHERE audience IS NULL OR audience = :person
ORDER BY number DESC
LIMIT :most;
