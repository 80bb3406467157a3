-- name: acquaintance
SELECT language, locale, welcomed_at
FROM account
WHERE platform = :platform AND workspace = :workspace AND member = :member;

-- name: set_locale
UPDATE account SET locale = :locale
WHERE platform = :platform AND workspace = :workspace AND member = :member;

-- name: set_language
UPDATE account SET language = :language WHERE id = :id;

-- name: welcome
UPDATE account SET welcomed_at = :now WHERE id = :id AND welcomed_at IS NULL;
