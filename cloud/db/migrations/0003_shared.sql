-- What was changed last of each site, so that the other processes on this database look again. Turns only grow.
CREATE TABLE touched (
    site   TEXT    NOT NULL REFERENCES site,
    what   TEXT    NOT NULL CHECK (what IN ('org', 'site', 'local', 'figures', 'box', 'offer')),
    turn   INTEGER NOT NULL,
    writer TEXT    NOT NULL,
    PRIMARY KEY (site, what)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX touched_turn ON touched (turn);
-- Which instance a box is linked to: written now and then for all boxes together, never because one of them connected.
CREATE TABLE presence (
    box      TEXT    PRIMARY KEY REFERENCES box,
    site     TEXT    NOT NULL REFERENCES site,
    instance TEXT    NOT NULL,
    since    INTEGER NOT NULL,
    body     TEXT    NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX presence_instance ON presence (instance);
CREATE TABLE instance (
    instance TEXT    PRIMARY KEY,
    label    TEXT    NOT NULL,
    heard    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
