-- A conversation is a tree: parent is the turn that a turn goes on from, null for one that begins it. It may name
-- a turn that was erased since, which ends the way back. Turns of one comparison share a batch. place is where the
-- answer is shown while it is written, and stays after its process was lost until what is shown there was mended.
ALTER TABLE turn ADD COLUMN parent TEXT;
ALTER TABLE turn ADD COLUMN batch TEXT;
ALTER TABLE turn ADD COLUMN place TEXT;
ALTER TABLE turn ADD COLUMN stop_asked_at BIGINT;
CREATE INDEX turn_to_stop ON turn (owner) WHERE state = 'held' AND stop_asked_at IS NOT NULL;
CREATE INDEX turn_to_mend ON turn (settled_at) WHERE state = 'released' AND place IS NOT NULL;

-- The turn that a message shows: what replies to it goes on from there. Null for a place that moves on.
ALTER TABLE anchor ADD COLUMN turn TEXT;

-- The turn that was settled last, from which a place goes on.
ALTER TABLE conversation ADD COLUMN tip TEXT;

-- Until now each turn went on from the settled one before it.
UPDATE turn
SET parent = (
    SELECT earlier.id
    FROM turn AS earlier
    WHERE earlier.conversation = turn.conversation
        AND earlier.state = 'settled' AND earlier.answer <> ''
        AND (
            earlier.started_at < turn.started_at
            OR (earlier.started_at = turn.started_at AND earlier.id < turn.id)
        )
    ORDER BY earlier.started_at DESC, earlier.id DESC
    LIMIT 1);
UPDATE conversation
SET tip = (
    SELECT turn.id
    FROM turn
    WHERE turn.conversation = conversation.id AND turn.state = 'settled' AND turn.answer <> ''
    ORDER BY turn.started_at DESC, turn.id DESC
    LIMIT 1);
