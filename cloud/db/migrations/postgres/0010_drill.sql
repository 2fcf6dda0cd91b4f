-- What came of outage drills, as boxes said it. `whole`: every interval that a drill touches had arrived by then; `equal`: their
-- figures here were those that the box has told. The order that is not over yet is in the site's documents.
CREATE TABLE drill (
    box      TEXT COLLATE "C" NOT NULL REFERENCES box,
    at       BIGINT NOT NULL,
    site     TEXT COLLATE "C" NOT NULL,
    body     TEXT COLLATE "C" NOT NULL,
    whole    BIGINT NOT NULL,
    equal    BIGINT NOT NULL,
    received BIGINT NOT NULL,
    PRIMARY KEY (box, at)
);
CREATE INDEX drill_received ON drill (received);
