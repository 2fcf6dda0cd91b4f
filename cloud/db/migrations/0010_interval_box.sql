-- A cell is of the box that counted it: a box that was replaced, and is switched on once more, may have a part of the
-- same interval. What is there is taken for that of the youngest box, the only one that may still revise it.
ALTER TABLE interval RENAME TO interval_before;
CREATE TABLE interval (
    site           TEXT    NOT NULL REFERENCES site,
    queue          TEXT    NOT NULL,
    start          INTEGER NOT NULL,
    length_s       INTEGER NOT NULL,
    box            TEXT    NOT NULL,
    revision       INTEGER NOT NULL,
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
    received       INTEGER NOT NULL,
    PRIMARY KEY (start, length_s, site, queue, box)
) STRICT, WITHOUT ROWID;
INSERT INTO interval
SELECT site, queue, start, length_s,
       coalesce((SELECT box FROM box WHERE box.site = interval_before.site ORDER BY enrolled DESC, box LIMIT 1), ''),
       revision, offered, answered, abandoned, answered_in_t, abandoned_in_t, overflowed, recorded, wait_s, talk_s,
       hold_s, wrap_up_s, received
FROM interval_before;
DROP TABLE interval_before;
