-- Checkpoints of the boxes' egress ledgers, as they were shown: two that contradict each other both stay.
CREATE TABLE egress_checkpoint (
    box       TEXT    NOT NULL REFERENCES box,
    origin    BLOB    NOT NULL,
    first     INTEGER NOT NULL,
    root      BLOB    NOT NULL,
    count     INTEGER NOT NULL,
    at        INTEGER NOT NULL,
    signature BLOB    NOT NULL,
    seen      INTEGER NOT NULL,
    disputed  INTEGER NOT NULL,
    PRIMARY KEY (box, origin, first, root)
) STRICT, WITHOUT ROWID;
CREATE INDEX egress_checkpoint_seen ON egress_checkpoint (box, seen);
