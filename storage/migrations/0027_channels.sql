-- Alerts lead somewhere, and are also told in channels, whose id is then in the column member.
ALTER TABLE alert ADD COLUMN link TEXT NOT NULL DEFAULT '';
ALTER TABLE alert_owed ADD COLUMN channel BIGINT NOT NULL DEFAULT 0;
-- due_at of what was told is when that was.
CREATE INDEX alert_owed_receiver ON alert_owed (platform, workspace, member, due_at);
