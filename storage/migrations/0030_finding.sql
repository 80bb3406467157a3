-- How often operators had the configuration read anew; a process that sees the number rise reads it.
CREATE TABLE reload_asked (
    id BIGINT PRIMARY KEY,
    number BIGINT NOT NULL
);

-- By what operators look for members.
CREATE INDEX account_by_member ON account (member, created_at);
CREATE INDEX account_by_time ON account (created_at);
CREATE INDEX tier_change_by_tier ON tier_change (mode, tier_after, changed_at);
CREATE INDEX subscription_by_status ON subscription (mode, payment_status, created_at);
