-- The tier that a member had when a turn was held; null for what is older, and for the house's own charges.
ALTER TABLE turn ADD COLUMN tier TEXT;
ALTER TABLE charge ADD COLUMN tier TEXT;
