-- name: find_conversation
SELECT c.id, c.account, c.started_at, c.last_at, c.live_turns
FROM anchor a JOIN conversation c ON c.id = a.conversation
WHERE a.account = :account AND a.place = :place;

-- name: conversation
SELECT id, account, started_at, last_at, live_turns FROM conversation WHERE id = :id;

-- name: open_conversation
INSERT INTO conversation (id, account, started_at, last_at, day, live_turns)
VALUES (:id, :account, :started_at, :last_at, :day, :live_turns);

-- name: bind
INSERT INTO anchor (account, place, conversation) VALUES (:account, :place, :conversation)
ON CONFLICT (account, place) DO UPDATE SET conversation = excluded.conversation;

-- name: unbind
DELETE FROM anchor WHERE account = :account AND place = :place;

-- name: history
SELECT prompt, answer
FROM turn
WHERE conversation = :conversation AND state = 'settled' AND answer <> ''
ORDER BY started_at DESC, id DESC
LIMIT :most;

-- name: conversations_on
SELECT COUNT(*) AS counted FROM conversation WHERE account = :account AND day = :day AND live_turns > 0;

-- name: add_live_turn
UPDATE conversation
SET day = CASE WHEN live_turns = 0 THEN :day ELSE day END,
    live_turns = live_turns + 1,
    last_at = CASE WHEN last_at < :at THEN :at ELSE last_at END
WHERE id = :id;

-- name: drop_live_turn
UPDATE conversation SET live_turns = live_turns - 1 WHERE id = :id;
