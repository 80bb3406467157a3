-- name: rules
SELECT channels, roles, models, model, persona, pool FROM rules WHERE platform = :platform AND place = :place;

-- name: lock_rules
INSERT INTO rules (platform, place, channels, roles, models, model, persona, pool)
VALUES (:platform, :place, '', '', '', NULL, '', NULL)
ON CONFLICT (platform, place) DO UPDATE SET place = excluded.place
RETURNING channels, roles, models, model, persona, pool;

-- name: save_rules
UPDATE rules
SET channels = :channels, roles = :roles, models = :models, model = :model, persona = :persona, pool = :pool
WHERE platform = :platform AND place = :place;

-- name: begun_at
UPDATE conversation SET begun_at = :place, begun_free = :free WHERE id = :id;

-- name: pooled
SELECT COUNT(*) AS counted
FROM conversation
WHERE begun_at = :place AND day = :day AND begun_free = 1 AND live_turns > 0;
