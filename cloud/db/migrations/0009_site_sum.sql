-- As interval_sum, over all queues of a site together: most questions are for those. queue is always ''.
CREATE TABLE site_sum (
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
INSERT INTO site_sum
SELECT span_s, site, start, '', sum(cells), sum(offered), sum(answered), sum(abandoned), sum(answered_in_t),
       sum(abandoned_in_t), sum(overflowed), sum(recorded), sum(wait_s), sum(talk_s), sum(hold_s), sum(wrap_up_s)
FROM interval_sum
GROUP BY span_s, site, start;
