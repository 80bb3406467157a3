-- Who is owed which alert. A bulletin is what one person is told in one message; null until somebody begins to.
CREATE TABLE alert_owed (
    alert TEXT NOT NULL REFERENCES alert (key),
    platform TEXT NOT NULL,
    workspace TEXT NOT NULL,
    member TEXT NOT NULL,
    bulletin TEXT,
    attempts INTEGER NOT NULL,
    state TEXT NOT NULL,
    due_at BIGINT NOT NULL,
    PRIMARY KEY (alert, platform, workspace, member)
);
CREATE INDEX alert_owed_due ON alert_owed (due_at) WHERE state = 'owed';
CREATE INDEX alert_owed_bulletin ON alert_owed (bulletin);
