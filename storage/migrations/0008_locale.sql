-- Languages: what the platform said last, what the member chose instead. Who was met before needs no welcome.
ALTER TABLE account ADD COLUMN locale TEXT;
ALTER TABLE account ADD COLUMN language TEXT;
ALTER TABLE account ADD COLUMN welcomed_at BIGINT;
UPDATE account SET welcomed_at = created_at;
