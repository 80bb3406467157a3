-- name: due_to_empty
SELECT id, account
FROM conversation
WHERE content = 1 AND last_at < :before
    AND NOT EXISTS (SELECT 1 FROM turn WHERE turn.conversation = conversation.id AND turn.state = 'held')
ORDER BY last_at, id
LIMIT :most;

-- name: close_conversation
UPDATE conversation SET emptied_at = COALESCE(emptied_at, :now)
WHERE id = :id AND content = 1 AND last_at < :before
    AND NOT EXISTS (SELECT 1 FROM turn WHERE turn.conversation = conversation.id AND turn.state = 'held');

-- name: let_summary_go
DELETE FROM owed_summary WHERE conversation = :id
RETURNING conversation, tip, model, budget, attempts, token, asked_provider, asked_input, asked_output, asked_cost;

-- name: let_summaries_go
DELETE FROM summary WHERE conversation = :id;

-- name: let_anchors_go
DELETE FROM anchor
WHERE conversation = :id
    AND place IN (SELECT place FROM anchor WHERE conversation = :id ORDER BY place LIMIT :most);

-- name: empty_turns
UPDATE turn SET prompt = '', answer = '', images = 0, pdfs = 0
WHERE id IN (
    SELECT id
    FROM turn
    WHERE conversation = :id AND (prompt <> '' OR answer <> '' OR images > 0 OR pdfs > 0)
    ORDER BY started_at, id
    LIMIT :most
);

-- Of turns that were emptied; those emptied before have none left.
-- name: let_images_go
DELETE FROM attachment WHERE turn IN (SELECT id FROM turn WHERE conversation = :id AND images = 0);

-- name: let_pdfs_go
DELETE FROM pdf WHERE turn IN (SELECT id FROM turn WHERE conversation = :id AND pdfs = 0);

-- name: conversation_emptied
UPDATE conversation SET content = 0 WHERE id = :id;

-- Messages have numbers in the order in which they came, so the oldest are found without an index of their times.
-- name: forget_local
DELETE FROM local_message
WHERE number IN (SELECT number FROM local_message ORDER BY number LIMIT :most)
    AND COALESCE(shown_at, 0) < :before;

-- name: empty_announcements
UPDATE announcement SET text = ''
WHERE id IN (
    SELECT id
    FROM announcement
    WHERE state IN ('sent', 'stopped') AND COALESCE(confirmed_at, made_at) < :before AND text <> ''
    LIMIT :most
);

-- name: forget_deeds
DELETE FROM audit
WHERE number IN (SELECT number FROM audit ORDER BY number LIMIT :most) AND at < :before;
