-- name: people_by_person
SELECT platform, workspace, member FROM account
WHERE platform = :platform AND workspace = :workspace AND member = :member;

-- name: people_by_member
SELECT platform, workspace, member FROM account WHERE member = :value ORDER BY created_at DESC LIMIT :most;

-- name: people_by_account
SELECT platform, workspace, member FROM account WHERE id = :value;

-- name: people_by_customer
SELECT platform, workspace, member
FROM account
WHERE id IN (
    SELECT account FROM customer WHERE mode = :mode AND stripe_customer_id = :value
    UNION ALL
    SELECT account FROM former_customer WHERE mode = :mode AND stripe_customer_id = :value
)
LIMIT :most;

-- name: people_by_subscription
SELECT platform, workspace, member
FROM account
WHERE id IN (SELECT account FROM subscription WHERE mode = :mode AND stripe_subscription_id = :value);

-- The newest of those whose last change was to that tier.
-- name: people_by_tier
SELECT account.platform, account.workspace, account.member
FROM tier_change JOIN account ON account.id = tier_change.account
WHERE tier_change.mode = :mode AND tier_change.tier_after = :value
    AND NOT EXISTS (
        SELECT 1
        FROM tier_change AS later
        WHERE later.account = tier_change.account AND later.mode = tier_change.mode
            AND later.number > tier_change.number
    )
ORDER BY tier_change.changed_at DESC
LIMIT :most;

-- The newest of those who were never told of another tier, or last of this one.
-- name: people_by_first_tier
SELECT account.platform, account.workspace, account.member
FROM account
WHERE COALESCE((
    SELECT tier_change.tier_after
    FROM tier_change
    WHERE tier_change.account = account.id AND tier_change.mode = :mode
    ORDER BY tier_change.number DESC
    LIMIT 1
), :value) = :value
ORDER BY account.created_at DESC
LIMIT :most;

-- name: people_by_status
SELECT account.platform, account.workspace, account.member
FROM subscription JOIN account ON account.id = subscription.account
WHERE subscription.mode = :mode AND subscription.payment_status = :value
ORDER BY subscription.created_at DESC
LIMIT :most;
