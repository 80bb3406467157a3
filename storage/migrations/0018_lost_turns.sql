-- Whose model a turn was held for: who may have charged for it if its process was lost; null for what is older.
ALTER TABLE turn ADD COLUMN provider TEXT;
CREATE INDEX turn_lost ON turn (account, started_at)
WHERE state = 'released' AND outcome = 'expired' AND cost IS NULL AND provider IS NOT NULL;
