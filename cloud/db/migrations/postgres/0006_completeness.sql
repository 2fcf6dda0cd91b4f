-- Since when a site's intervals are expected, ms: its first box was enrolled then. Null: before this was kept, and no
-- box has said yet how far it has counted. (`intervals` is written by nobody any more.)
ALTER TABLE site ADD COLUMN expected_from BIGINT;

-- What boxes have said to be closed and delivered, as stretches of time that do not overlap: intervals that start in
-- since..until. Stretches that met the same fate are one row.
CREATE TABLE coverage (
    site     TEXT COLLATE "C" NOT NULL REFERENCES site,
    since    BIGINT NOT NULL,
    until    BIGINT NOT NULL,
    length_s BIGINT NOT NULL,
    fate     TEXT COLLATE "C" NOT NULL CHECK (fate IN ('on_time', 'isolated', 'late')),
    measured BIGINT NOT NULL,
    received BIGINT NOT NULL,
    PRIMARY KEY (site, since)
);

-- When a queue was there, as far as that is covered.
CREATE TABLE queue_life (
    site  TEXT COLLATE "C" NOT NULL REFERENCES site,
    queue TEXT COLLATE "C" NOT NULL,
    since BIGINT NOT NULL,
    until BIGINT NOT NULL,
    PRIMARY KEY (site, queue, since)
);

-- The cells summed to hours and days (of UTC), kept in the transaction of the cells. `cells` says how many there are.
CREATE TABLE interval_sum (
    span_s         BIGINT NOT NULL CHECK (span_s IN (3600, 86400)),
    site           TEXT COLLATE "C" NOT NULL REFERENCES site,
    start          BIGINT NOT NULL,
    queue          TEXT COLLATE "C" NOT NULL,
    cells          BIGINT NOT NULL,
    offered        BIGINT NOT NULL,
    answered       BIGINT NOT NULL,
    abandoned      BIGINT NOT NULL,
    answered_in_t  BIGINT NOT NULL,
    abandoned_in_t BIGINT NOT NULL,
    overflowed     BIGINT NOT NULL,
    recorded       BIGINT NOT NULL,
    wait_s         BIGINT NOT NULL,
    talk_s         BIGINT NOT NULL,
    hold_s         BIGINT NOT NULL,
    wrap_up_s      BIGINT NOT NULL,
    PRIMARY KEY (span_s, site, start, queue)
);
INSERT INTO interval_sum
SELECT span_s, site, start / (span_s * 1000) * (span_s * 1000), queue, count(*), sum(offered), sum(answered),
       sum(abandoned), sum(answered_in_t), sum(abandoned_in_t), sum(overflowed), sum(recorded), sum(wait_s), sum(talk_s),
       sum(hold_s), sum(wrap_up_s)
FROM "interval" CROSS JOIN (SELECT CAST(3600 AS BIGINT) AS span_s UNION ALL SELECT 86400) AS span
WHERE length_s <= span_s AND span_s % length_s = 0
GROUP BY 1, 2, 3, 4;

-- What changed after its time was over: figures that came late, and figures that were revised.
CREATE TABLE correction (
    site           TEXT COLLATE "C" NOT NULL REFERENCES site,
    kind           TEXT COLLATE "C" NOT NULL CHECK (kind IN ('late', 'revised')),
    first_received BIGINT NOT NULL,
    last_received  BIGINT NOT NULL,
    since          BIGINT NOT NULL,
    until          BIGINT NOT NULL,
    intervals      BIGINT NOT NULL,
    cells          BIGINT NOT NULL,
    offered        BIGINT NOT NULL,
    answered       BIGINT NOT NULL,
    abandoned      BIGINT NOT NULL,
    answered_in_t  BIGINT NOT NULL,
    abandoned_in_t BIGINT NOT NULL,
    overflowed     BIGINT NOT NULL,
    recorded       BIGINT NOT NULL,
    wait_s         BIGINT NOT NULL,
    talk_s         BIGINT NOT NULL,
    hold_s         BIGINT NOT NULL,
    wrap_up_s      BIGINT NOT NULL,
    PRIMARY KEY (site, kind, first_received)
);
CREATE INDEX correction_received ON correction (last_received);
