-- What our estimates of a model's input are multiplied by, in thousandths.
CREATE TABLE estimate (
    provider TEXT NOT NULL,
    vendor_id TEXT NOT NULL,
    text BIGINT NOT NULL,
    images BIGINT NOT NULL,
    lowered_at BIGINT,
    PRIMARY KEY (provider, vendor_id)
);
