-- name: set_announcements
UPDATE account SET announcements = :wanted WHERE id = :id;

-- Who never wrote has an account if an operator did something about them, and is no member; nor is who was erased,
-- of whom conversations may be left without turns, and a used trial without a customer at Stripe.
-- name: receivers
SELECT id, platform, workspace, member, announcements
FROM account
WHERE id > :after AND :platforms LIKE '%,' || platform || ',%' AND seen_at >= :seen_since AND blocked_at IS NULL
    AND erased_at IS NULL
    AND (
        welcomed_at IS NOT NULL OR locale IS NOT NULL OR language IS NOT NULL
        OR EXISTS (SELECT 1 FROM turn WHERE turn.account = account.id)
        OR EXISTS (SELECT 1 FROM customer WHERE customer.account = account.id AND stripe_customer_id IS NOT NULL)
    )
ORDER BY id
LIMIT :most;

-- name: draft
INSERT INTO announcement (
    id, text, actor, tiers, platforms, seen_since, receivers, state, made_at, gathering
) VALUES (:id, :text, :actor, :tiers, :platforms, :seen_since, :receivers, 'draft', :made_at, 1);

-- name: announcement
SELECT id, text, actor, tiers, platforms, seen_since, receivers, state, made_at, gathered_to
FROM announcement
WHERE id = :id;

-- name: confirm_announcement
UPDATE announcement SET state = 'sending', confirmed_at = :now WHERE id = :id AND state = 'draft';

-- name: stop_announcement
UPDATE announcement SET state = 'stopped' WHERE id = :id AND state = 'sending';

-- name: stop_letters
UPDATE announced SET state = 'stopped' WHERE announcement = :id AND state = 'owed';

-- name: lock_gathering
UPDATE announcement SET gathering = gathering
WHERE state = 'sending' AND gathering = 1
    AND id = (
        SELECT id
        FROM announcement
        WHERE state = 'sending' AND gathering = 1
        ORDER BY confirmed_at, id
        LIMIT 1
    )
RETURNING id, text, actor, tiers, platforms, seen_since, receivers, state, made_at, gathered_to;

-- name: owe_announcement
INSERT INTO announced (
    id, announcement, account, platform, workspace, member, state, attempts, created_at, due_at
) VALUES (:id, :announcement, :account, :platform, :workspace, :member, :state, 0, :now, :now)
ON CONFLICT DO NOTHING;

-- name: gathered
UPDATE announcement SET gathered_to = :last, gathering = :gathering WHERE id = :id;

-- name: announcing
SELECT COUNT(*) AS sending FROM announcement WHERE state = 'sending';

-- A claim moves due_at to the end of its lease. The outer conditions repeat the inner ones: PostgreSQL checks
-- only them again after waiting for a rival.
-- name: claim_letter
UPDATE announced SET attempts = attempts + 1, due_at = :lease_until
WHERE state = 'owed' AND due_at <= :now
    AND id = (
        SELECT id
        FROM announced
        WHERE platform = :platform AND state = 'owed' AND due_at <= :now
        ORDER BY due_at, id
        LIMIT 1
    )
RETURNING id, platform, workspace, member, created_at, attempts - 1 AS attempts,
    (SELECT text FROM announcement WHERE announcement.id = announced.announcement) AS text,
    (SELECT COALESCE(language, locale) FROM account WHERE account.id = announced.account) AS locale,
    (
        SELECT CASE WHEN blocked_at IS NULL THEN announcements ELSE 0 END
        FROM account
        WHERE account.id = announced.account
    ) AS listens;

-- name: letter_ended
UPDATE announced SET state = :fate, sent_at = :now WHERE id = :id AND state IN ('owed', 'stopped');

-- name: letter_later
UPDATE announced SET due_at = :due WHERE id = :id AND state = 'owed';

-- name: end_announcements
UPDATE announcement SET state = 'sent'
WHERE state = 'sending' AND gathering = 0
    AND NOT EXISTS (SELECT 1 FROM announced WHERE announced.announcement = announcement.id AND announced.state = 'owed');

-- name: forget_drafts
DELETE FROM announcement WHERE state = 'draft' AND made_at < :old;

-- name: announcements
SELECT id, text, actor, tiers, platforms, seen_since, receivers, state, made_at, gathered_to
FROM announcement
WHERE state <> 'draft'
ORDER BY confirmed_at DESC, id
LIMIT :most;

-- name: fates
SELECT state, COUNT(*) AS members FROM announced WHERE announcement = :id GROUP BY state;
