-- name: corrections
SELECT provider, vendor_id, text, images, lowered_at FROM estimate;

-- A rise meets rivals as the greater one; a step down counts only from where it was taken.
-- name: raise_estimate
INSERT INTO estimate (provider, vendor_id, text, images, lowered_at)
VALUES (:provider, :vendor_id, :text, :images, NULL)
ON CONFLICT (provider, vendor_id) DO UPDATE
SET text = CASE WHEN excluded.text > estimate.text THEN excluded.text ELSE estimate.text END,
    images = CASE WHEN excluded.images > estimate.images THEN excluded.images ELSE estimate.images END
WHERE excluded.text > estimate.text OR excluded.images > estimate.images;

-- name: lower_estimate
UPDATE estimate SET text = :text, images = :images, lowered_at = :lowered_at
WHERE provider = :provider AND vendor_id = :vendor_id AND text = :text_before AND images = :images_before;
