-- What came of outage drills, as boxes said it. `whole`: every interval that a drill touches had arrived by then; `equal`: their
-- figures here were those that the box has told. The order that is not over yet is in the site's documents.
CREATE TABLE drill (
    box      TEXT    NOT NULL REFERENCES box,
    at       INTEGER NOT NULL,
    site     TEXT    NOT NULL,
    body     TEXT    NOT NULL,
    whole    INTEGER NOT NULL,
    equal    INTEGER NOT NULL,
    received INTEGER NOT NULL,
    PRIMARY KEY (box, at)
) STRICT, WITHOUT ROWID;
CREATE INDEX drill_received ON drill (received);
