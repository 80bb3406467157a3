-- How operators get into the dashboard. Tokens are kept only as SHA-256; person names who holds one.
CREATE TABLE entry_link (
    digest TEXT PRIMARY KEY,
    person TEXT NOT NULL,
    asked_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    state TEXT NOT NULL
);
CREATE INDEX entry_link_by_person ON entry_link (person, state);
CREATE INDEX entry_link_by_time ON entry_link (asked_at);

-- How many links somebody has asked for since when.
CREATE TABLE entry_asked (
    person TEXT PRIMARY KEY,
    since BIGINT NOT NULL,
    asked BIGINT NOT NULL
);

CREATE TABLE admin_session (
    digest TEXT PRIMARY KEY,
    person TEXT NOT NULL,
    began_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX admin_session_by_person ON admin_session (person);
CREATE INDEX admin_session_by_time ON admin_session (expires_at);
