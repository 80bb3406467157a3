-- name: circuits
SELECT name, opened_at, open_until, failed, probe_until, why FROM circuit;

-- name: open_circuit
INSERT INTO circuit (name, opened_at, open_until, failed, why)
VALUES (:name, :opened_at, :open_until, 0, :why)
ON CONFLICT (name) DO UPDATE SET open_until =
    CASE WHEN excluded.open_until > circuit.open_until THEN excluded.open_until ELSE circuit.open_until END
RETURNING name, opened_at, open_until, failed, probe_until, why;

-- name: take_probe
UPDATE circuit SET probe_by = :owner, probe_until = :until
WHERE name = :name AND open_until <= :now AND (probe_until IS NULL OR probe_until <= :now);

-- name: renew_probes
UPDATE circuit SET probe_until = :until WHERE probe_by = :owner;

-- name: probe_failed
UPDATE circuit SET open_until = :open_until, failed = :failed, why = :why, probe_by = NULL, probe_until = NULL
WHERE name = :name AND probe_by = :owner;

-- name: drop_probe
UPDATE circuit SET probe_by = NULL, probe_until = NULL WHERE name = :name AND probe_by = :owner;

-- name: close_circuit
DELETE FROM circuit WHERE name = :name AND opened_at = :opened_at;
