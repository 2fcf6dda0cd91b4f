-- Words by which sites are found together.
CREATE TABLE site_tag (
    site TEXT NOT NULL REFERENCES site,
    tag  TEXT NOT NULL,
    PRIMARY KEY (site, tag)
) STRICT, WITHOUT ROWID;

-- Changes of a configuration that are kept, to be made at many sites. JSON.
CREATE TABLE template (
    template TEXT    PRIMARY KEY,
    label    TEXT    NOT NULL,
    changes  TEXT    NOT NULL,
    author   TEXT    NOT NULL,
    at       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- `overrule`: also where a branch itself says otherwise. `body` is the machine as it stands. `version` grows with each step: whoever writes names the one they saw.
CREATE TABLE rollout (
    rollout  INTEGER PRIMARY KEY,
    label    TEXT    NOT NULL,
    changes  TEXT    NOT NULL,
    overrule INTEGER NOT NULL,
    body     TEXT    NOT NULL,
    version  INTEGER NOT NULL,
    live     INTEGER NOT NULL,
    created  INTEGER NOT NULL
) STRICT;
CREATE INDEX rollout_live ON rollout (live);

-- Which changes of a site's documents a roll-out has made there, so that they can be taken back.
CREATE TABLE rollout_change (
    rollout INTEGER NOT NULL REFERENCES rollout,
    site    TEXT    NOT NULL REFERENCES site,
    doc     TEXT    NOT NULL,
    seq     INTEGER NOT NULL,
    PRIMARY KEY (rollout, site, doc, seq)
) STRICT, WITHOUT ROWID;

-- Which configuration each box runs, as it said last.
CREATE TABLE running (
    box      TEXT    PRIMARY KEY REFERENCES box,
    site     TEXT    NOT NULL,
    body     TEXT    NOT NULL,
    received INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX running_site ON running (site);

-- Work that one instance does for all, for as long as it says so.
CREATE TABLE lease (
    work   TEXT    PRIMARY KEY,
    holder TEXT    NOT NULL,
    until  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
