-- Checkpoints of the boxes' egress ledgers, as they were shown: two that contradict each other both stay.
CREATE TABLE egress_checkpoint (
    box       TEXT COLLATE "C" NOT NULL REFERENCES box,
    origin    BYTEA  NOT NULL,
    first     BIGINT NOT NULL,
    root      BYTEA  NOT NULL,
    count     BIGINT NOT NULL,
    at        BIGINT NOT NULL,
    signature BYTEA  NOT NULL,
    seen      BIGINT NOT NULL,
    disputed  BIGINT NOT NULL,
    PRIMARY KEY (box, origin, first, root)
);
CREATE INDEX egress_checkpoint_seen ON egress_checkpoint (box, seen);
