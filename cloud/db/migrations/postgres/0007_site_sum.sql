-- As interval_sum, over all queues of a site together: most questions are for those. queue is always ''.
CREATE TABLE site_sum (
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
INSERT INTO site_sum
SELECT span_s, site, start, '', sum(cells), sum(offered), sum(answered), sum(abandoned), sum(answered_in_t),
       sum(abandoned_in_t), sum(overflowed), sum(recorded), sum(wait_s), sum(talk_s), sum(hold_s), sum(wrap_up_s)
FROM interval_sum
GROUP BY span_s, site, start;
