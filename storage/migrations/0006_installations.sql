-- Where a platform's app is installed; place is a workspace's id or, org-wide, an organisation's.
CREATE TABLE installation (
    platform TEXT NOT NULL,
    place TEXT NOT NULL,
    name TEXT NOT NULL,
    organisation TEXT NOT NULL,
    bot_user TEXT NOT NULL,
    bot TEXT NOT NULL,
    token TEXT NOT NULL,
    scopes TEXT NOT NULL,
    installed_by TEXT NOT NULL,
    installed_at BIGINT NOT NULL,
    org_wide BIGINT NOT NULL,
    PRIMARY KEY (platform, place)
);

-- Installations that somebody has begun in a browser.
CREATE TABLE install_state (
    state TEXT PRIMARY KEY,
    expires_at BIGINT NOT NULL
);
CREATE INDEX install_state_by_time ON install_state (expires_at);
