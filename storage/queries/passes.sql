-- name: ask_for_link
INSERT INTO entry_asked (person, since, asked)
VALUES (:person, :now, 1)
ON CONFLICT (person) DO UPDATE SET
    asked = CASE WHEN entry_asked.since <= :span_before THEN 1 ELSE entry_asked.asked + 1 END,
    since = CASE WHEN entry_asked.since <= :span_before THEN excluded.since ELSE entry_asked.since END
WHERE entry_asked.since <= :span_before OR entry_asked.asked < :most;

-- name: void_links
UPDATE entry_link SET state = 'void' WHERE person = :person AND state = 'open';

-- name: add_link
INSERT INTO entry_link (digest, person, asked_at, expires_at, state)
VALUES (:digest, :person, :now, :until, 'open');

-- name: entry_link
SELECT person, expires_at, state FROM entry_link WHERE digest = :digest;

-- name: use_link
UPDATE entry_link SET state = 'used' WHERE digest = :digest AND state = 'open' AND expires_at > :now;

-- name: begin_session
INSERT INTO admin_session (digest, person, began_at, expires_at) VALUES (:digest, :person, :now, :until);

-- name: admin_session
SELECT person, expires_at FROM admin_session WHERE digest = :digest AND expires_at > :now;

-- name: end_session
DELETE FROM admin_session WHERE digest = :digest;

-- name: end_sessions_of
DELETE FROM admin_session WHERE person = :person;

-- name: end_all_sessions
DELETE FROM admin_session;

-- name: void_all_links
UPDATE entry_link SET state = 'void' WHERE state = 'open';

-- name: forget_links
DELETE FROM entry_link WHERE asked_at <= :asked_before;

-- name: forget_asked
DELETE FROM entry_asked WHERE since <= :asked_before;

-- name: forget_sessions
DELETE FROM admin_session WHERE expires_at <= :now;
