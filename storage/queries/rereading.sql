-- name: ask_reload
INSERT INTO reload_asked (id, number) VALUES (1, 1)
ON CONFLICT (id) DO UPDATE SET number = reload_asked.number + 1
RETURNING number;

-- name: reloads_asked
SELECT number FROM reload_asked WHERE id = 1;
