-- name: installation
SELECT platform, place, name, organisation, bot_user, bot, token, scopes, installed_by, installed_at, org_wide
FROM installation
WHERE platform = :platform AND place = :place;

-- name: installations
SELECT platform, place, name, organisation, bot_user, bot, token, scopes, installed_by, installed_at, org_wide
FROM installation
WHERE platform = :platform
ORDER BY installed_at, place;

-- name: save_installation
INSERT INTO installation (
    platform, place, name, organisation, bot_user, bot, token, scopes, installed_by, installed_at, org_wide
)
VALUES (
    :platform, :place, :name, :organisation, :bot_user, :bot, :token, :scopes, :installed_by, :installed_at,
    :org_wide
)
ON CONFLICT (platform, place) DO UPDATE SET
    name = excluded.name,
    organisation = excluded.organisation,
    bot_user = excluded.bot_user,
    bot = excluded.bot,
    token = excluded.token,
    scopes = excluded.scopes,
    installed_by = excluded.installed_by,
    installed_at = excluded.installed_at,
    org_wide = excluded.org_wide;

-- name: drop_installation
DELETE FROM installation WHERE platform = :platform AND place = :place AND installed_at < :made_before;

-- name: begin_install
INSERT INTO install_state (state, expires_at) VALUES (:state, :expires_at);

-- name: end_install
DELETE FROM install_state WHERE state = :state AND expires_at > :now;

-- name: forget_installs
DELETE FROM install_state WHERE expires_at <= :now;
