-- name: keep_question
INSERT INTO kept_question (id, account, place, content, asked_at, until)
VALUES (:id, :account, :place, :content, :asked_at, :until);

-- name: drop_older_questions
DELETE FROM kept_question
WHERE account = :account AND id <> :id AND (
    place = :place
    OR id NOT IN (
        SELECT id FROM kept_question WHERE account = :account ORDER BY asked_at DESC, id = :id DESC, id LIMIT :most
    )
);

-- name: kept_question
SELECT id, account, place, content, asked_at, until FROM kept_question WHERE id = :id AND until > :now;

-- name: kept_questions
SELECT id, account, place, content, asked_at, until
FROM kept_question
WHERE account = :account AND until > :now
    AND (turn IS NULL OR turn NOT IN (SELECT id FROM turn WHERE id = kept_question.turn AND state <> 'released'))
ORDER BY asked_at DESC, id;

-- name: question_waits
SELECT COUNT(*) AS waits
FROM kept_question
WHERE id = :id AND account = :account AND until > :now
    AND (turn IS NULL OR turn NOT IN (SELECT id FROM turn WHERE id = kept_question.turn AND state <> 'released'));

-- name: answer_question
UPDATE kept_question SET turn = :turn WHERE id = :id;

-- name: follow_question
UPDATE kept_question SET turn = :turn WHERE turn = :about RETURNING id;

-- name: pass_question
UPDATE kept_question
SET turn = COALESCE(
    (
        SELECT MIN(t.id)
        FROM turn AS e JOIN turn AS t ON t.account = e.account AND t.batch = e.batch
        WHERE e.id = :ended AND t.state = 'held'
    ),
    turn
)
WHERE turn = :ended;

-- name: drop_question
DELETE FROM kept_question WHERE id = :id;

-- name: drop_questions
DELETE FROM kept_question WHERE account = :account;

-- name: drop_lapsed
DELETE FROM kept_question WHERE until <= :now;
