-- name: find_branch
SELECT c.id, c.account, c.started_at, c.last_at, c.live_turns, c.model, c.emptied_at,
    CASE WHEN t.id IS NULL THEN c.tip WHEN t.state = 'settled' THEN t.id ELSE t.parent END AS tip
FROM anchor a
    JOIN conversation c ON c.id = a.conversation
    LEFT JOIN turn t ON t.id = a.turn
WHERE a.account = :account AND a.place = :place AND c.emptied_at IS NULL;

-- name: conversation
SELECT id, account, started_at, last_at, live_turns, model, emptied_at FROM conversation WHERE id = :id;

-- name: open_conversation
INSERT INTO conversation (id, account, started_at, last_at, day, live_turns, model)
VALUES (:id, :account, :started_at, :last_at, :day, :live_turns, :model);

-- name: set_conversation_model
UPDATE conversation SET model = :model WHERE id = :id;

-- name: set_tip
UPDATE conversation SET tip = :turn WHERE id = :id;

-- name: bind
INSERT INTO anchor (account, place, conversation, turn)
SELECT account, CAST(:place AS TEXT), id, CAST(:turn AS TEXT)
FROM conversation
WHERE id = :conversation AND account = :account AND emptied_at IS NULL
ON CONFLICT (account, place) DO UPDATE
SET turn = CASE
        WHEN excluded.turn IS NULL AND anchor.conversation = excluded.conversation THEN anchor.turn
        ELSE excluded.turn
    END,
    conversation = excluded.conversation;

-- name: unbind
DELETE FROM anchor WHERE account = :account AND place = :place;

-- name: past_turn
SELECT id, account, conversation, parent, batch, state, model, prompt, answer, input_tokens, cached_input_tokens,
    output_tokens, tokens_estimated, outcome, started_at, settled_at, good, images, pdfs
FROM turn
WHERE id = :id;

-- From a turn back to a summary or the first of its branch, by primary key at each step, until there is enough.
-- name: history
WITH RECURSIVE way (id, parent, prompt, answer, images, pdfs, summary, steps, size) AS (
    SELECT t.id, t.parent, t.prompt, t.answer, t.images, t.pdfs, s.text, 1,
        LENGTH(t.prompt) + LENGTH(t.answer)
    FROM turn t LEFT JOIN summary s ON s.turn = t.id
    WHERE t.id = :tip
    UNION ALL
    SELECT t.id, t.parent, t.prompt, t.answer, t.images, t.pdfs, s.text, way.steps + 1,
        way.size + LENGTH(t.prompt) + LENGTH(t.answer)
    FROM way JOIN turn t ON t.id = way.parent LEFT JOIN summary s ON s.turn = t.id
    WHERE way.steps < :most AND way.size < :room AND (way.summary IS NULL OR way.steps <= :near)
)
SELECT id, prompt, answer, images, pdfs, summary FROM way ORDER BY steps DESC;

-- name: conversations
SELECT id, account, started_at, last_at, live_turns, model, emptied_at
FROM conversation
WHERE account = :account AND emptied_at IS NULL AND (started_at < :at OR (started_at = :at AND id < :id))
ORDER BY started_at DESC, id DESC
LIMIT :most;

-- name: turns
SELECT id, account, conversation, parent, batch, state, model, prompt, answer, input_tokens, cached_input_tokens,
    output_tokens, tokens_estimated, outcome, started_at, settled_at, good
FROM turn
WHERE conversation = :conversation AND (started_at > :at OR (started_at = :at AND id > :id))
ORDER BY started_at, id
LIMIT :most;

-- name: conversations_on
SELECT COUNT(*) AS counted FROM conversation WHERE account = :account AND day = :day AND live_turns > 0;

-- name: add_live_turn
UPDATE conversation
SET day = CASE WHEN live_turns = 0 THEN :day ELSE day END,
    tier = CASE WHEN live_turns = 0 THEN :tier ELSE tier END,
    live_turns = live_turns + 1,
    content = 1,
    last_at = CASE WHEN last_at < :at THEN :at ELSE last_at END
WHERE id = :id
RETURNING live_turns, day, tier;

-- name: drop_live_turn
UPDATE conversation SET live_turns = live_turns - 1 WHERE id = :id RETURNING live_turns, day, tier;
