-- What people at the centre must see soon; a box says it again under the same name when it has gone on.
CREATE TABLE notice (
    box      TEXT    NOT NULL REFERENCES box,
    notice   TEXT    NOT NULL,
    site     TEXT    NOT NULL REFERENCES site,
    at       INTEGER NOT NULL,
    what     TEXT    NOT NULL,
    place    TEXT,
    received INTEGER NOT NULL,
    seen_by  TEXT,
    seen     INTEGER,
    PRIMARY KEY (box, notice)
) STRICT, WITHOUT ROWID;
CREATE INDEX notice_by_time ON notice (received);
