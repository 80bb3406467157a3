-- name: raise_alert
INSERT INTO alert (key, kind, subject, detail, at)
VALUES (:key, :kind, :subject, :detail, :at)
ON CONFLICT (key) DO NOTHING;
