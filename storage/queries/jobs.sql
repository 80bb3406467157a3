-- A turn far ahead was taken by a clock that went wrong, and counts for nothing.
-- name: take_turn
INSERT INTO reading_turn (mode, taken_at) VALUES (:mode, :now)
ON CONFLICT (mode) DO UPDATE SET taken_at = CASE
    WHEN reading_turn.taken_at > excluded.taken_at + :farthest THEN excluded.taken_at
    WHEN reading_turn.taken_at + :spacing > excluded.taken_at THEN reading_turn.taken_at + :spacing
    ELSE excluded.taken_at
END
RETURNING taken_at;

-- A job that nobody has begun yet is due; beginning it moves due_at to the end of the lease.
-- name: begin_job
INSERT INTO job (name, note, due_at) VALUES (:name, '', :lease_until)
ON CONFLICT (name) DO UPDATE SET due_at = excluded.due_at WHERE job.due_at <= :now
RETURNING note;

-- name: end_job
INSERT INTO job (name, note, due_at) VALUES (:name, :note, :due)
ON CONFLICT (name) DO UPDATE SET note = excluded.note, due_at = excluded.due_at;
