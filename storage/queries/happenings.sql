-- name: happened
INSERT INTO event (at, account, mode, kind, platform, tier, reason, model)
VALUES (:at, :account, :mode, :kind, :platform, :tier, :reason, :model);

-- Of what members can do as often as they like; under their account's lock.
-- name: happened_again
INSERT INTO event (at, account, mode, kind, platform, tier, reason, model)
SELECT :at, :account, :mode, :kind, :platform, :tier, :reason, :model
WHERE :most > (SELECT COUNT(*) FROM event WHERE account = :account AND kind = :kind AND at > :since);

-- name: happenings
SELECT number, at, account, mode, kind, platform, tier, reason, model
FROM event
WHERE at >= :since AND at < :until AND number > :after
ORDER BY number
LIMIT :most;

-- name: count_happenings
SELECT kind, reason, COUNT(*) AS times
FROM event
WHERE mode = :mode AND at >= :since AND at < :until
GROUP BY kind, reason
ORDER BY kind, reason;

-- name: forget_events
DELETE FROM event WHERE number IN (SELECT number FROM event WHERE at < :before ORDER BY at LIMIT :most);
