-- Since when a site's intervals are expected, ms: its first box was enrolled then. Null: before this was kept, and no
-- box has said yet how far it has counted. (`intervals` is written by nobody any more.)
ALTER TABLE site ADD COLUMN expected_from INTEGER;

-- What boxes have said to be closed and delivered, as stretches of time that do not overlap: intervals that start in
-- since..until. Stretches that met the same fate are one row.
CREATE TABLE coverage (
    site     TEXT    NOT NULL REFERENCES site,
    since    INTEGER NOT NULL,
    until    INTEGER NOT NULL,
    length_s INTEGER NOT NULL,
    fate     TEXT    NOT NULL CHECK (fate IN ('on_time', 'isolated', 'late')),
    measured INTEGER NOT NULL,
    received INTEGER NOT NULL,
    PRIMARY KEY (site, since)
) STRICT, WITHOUT ROWID;

-- When a queue was there, as far as that is covered.
CREATE TABLE queue_life (
    site  TEXT    NOT NULL REFERENCES site,
    queue TEXT    NOT NULL,
    since INTEGER NOT NULL,
    until INTEGER NOT NULL,
    PRIMARY KEY (site, queue, since)
) STRICT, WITHOUT ROWID;

-- The cells summed to hours and days (of UTC), kept in the transaction of the cells. `cells` says how many there are.
CREATE TABLE interval_sum (
    span_s         INTEGER NOT NULL CHECK (span_s IN (3600, 86400)),
    site           TEXT    NOT NULL REFERENCES site,
    start          INTEGER NOT NULL,
    queue          TEXT    NOT NULL,
    cells          INTEGER NOT NULL,
    offered        INTEGER NOT NULL,
    answered       INTEGER NOT NULL,
    abandoned      INTEGER NOT NULL,
    answered_in_t  INTEGER NOT NULL,
    abandoned_in_t INTEGER NOT NULL,
    overflowed     INTEGER NOT NULL,
    recorded       INTEGER NOT NULL,
    wait_s         INTEGER NOT NULL,
    talk_s         INTEGER NOT NULL,
    hold_s         INTEGER NOT NULL,
    wrap_up_s      INTEGER NOT NULL,
    PRIMARY KEY (span_s, site, start, queue)
) STRICT, WITHOUT ROWID;
INSERT INTO interval_sum
SELECT span_s, site, start / (span_s * 1000) * (span_s * 1000), queue, count(*), sum(offered), sum(answered),
       sum(abandoned), sum(answered_in_t), sum(abandoned_in_t), sum(overflowed), sum(recorded), sum(wait_s), sum(talk_s),
       sum(hold_s), sum(wrap_up_s)
FROM interval CROSS JOIN (SELECT 3600 AS span_s UNION ALL SELECT 86400) AS span
WHERE length_s <= span_s AND span_s % length_s = 0
GROUP BY 1, 2, 3, 4;

-- What changed after its time was over: figures that came late, and figures that were revised.
CREATE TABLE correction (
    site           TEXT    NOT NULL REFERENCES site,
    kind           TEXT    NOT NULL CHECK (kind IN ('late', 'revised')),
    first_received INTEGER NOT NULL,
    last_received  INTEGER NOT NULL,
    since          INTEGER NOT NULL,
    until          INTEGER NOT NULL,
    intervals      INTEGER NOT NULL,
    cells          INTEGER NOT NULL,
    offered        INTEGER NOT NULL,
    answered       INTEGER NOT NULL,
    abandoned      INTEGER NOT NULL,
    answered_in_t  INTEGER NOT NULL,
    abandoned_in_t INTEGER NOT NULL,
    overflowed     INTEGER NOT NULL,
    recorded       INTEGER NOT NULL,
    wait_s         INTEGER NOT NULL,
    talk_s         INTEGER NOT NULL,
    hold_s         INTEGER NOT NULL,
    wrap_up_s      INTEGER NOT NULL,
    PRIMARY KEY (site, kind, first_received)
) STRICT, WITHOUT ROWID;
CREATE INDEX correction_received ON correction (last_received);
