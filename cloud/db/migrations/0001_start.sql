-- Times are milliseconds since 1970 in UTC. Ids are the text their types print.

CREATE TABLE org (
    one     INTEGER PRIMARY KEY CHECK (one = 1),
    label   TEXT    NOT NULL,
    created INTEGER NOT NULL
) STRICT;

-- `intervals` counts the different intervals received, so that completeness needs no walk over the figures.
CREATE TABLE site (
    site      TEXT    PRIMARY KEY,
    created   INTEGER NOT NULL,
    intervals INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

CREATE TABLE box (
    box         TEXT    PRIMARY KEY,
    site        TEXT    NOT NULL REFERENCES site,
    enrolled    INTEGER NOT NULL,
    serial      TEXT,
    not_after   INTEGER,
    revoked     INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX box_site ON box (site);

-- The code itself is shown once and never stored.
CREATE TABLE enrolment (
    token_hash BLOB    PRIMARY KEY,
    site       TEXT    NOT NULL REFERENCES site,
    created    INTEGER NOT NULL,
    expires    INTEGER NOT NULL,
    used       INTEGER,
    used_by    TEXT,
    key_hash   BLOB
) STRICT, WITHOUT ROWID;

CREATE TABLE config_change (
    site   TEXT    NOT NULL REFERENCES site,
    doc    TEXT    NOT NULL CHECK (doc IN ('org', 'site', 'local')),
    seq    INTEGER NOT NULL,
    hash   BLOB    NOT NULL CHECK (length(hash) = 32),
    deps   BLOB    NOT NULL CHECK (length(deps) % 32 = 0),
    bytes  BLOB    NOT NULL,
    author TEXT    NOT NULL,
    at     INTEGER NOT NULL,
    note   TEXT    NOT NULL DEFAULT '',
    PRIMARY KEY (site, doc, seq),
    UNIQUE (site, doc, hash)
) STRICT, WITHOUT ROWID;

-- The changes nothing depends on yet, so that they are known without loading a document.
CREATE TABLE config_head (
    site TEXT NOT NULL,
    doc  TEXT NOT NULL,
    hash BLOB NOT NULL,
    PRIMARY KEY (site, doc, hash)
) STRICT, WITHOUT ROWID;

CREATE TABLE sync_state (
    box   TEXT    NOT NULL REFERENCES box,
    doc   TEXT    NOT NULL CHECK (doc IN ('org', 'site', 'local')),
    bytes BLOB    NOT NULL,
    at    INTEGER NOT NULL,
    PRIMARY KEY (box, doc)
) STRICT, WITHOUT ROWID;

CREATE TABLE watermark (
    box   TEXT    NOT NULL REFERENCES box,
    epoch TEXT    NOT NULL,
    seq   INTEGER NOT NULL,
    at    INTEGER NOT NULL,
    PRIMARY KEY (box, epoch)
) STRICT, WITHOUT ROWID;

CREATE TABLE poison (
    box    TEXT    NOT NULL,
    epoch  TEXT    NOT NULL,
    seq    INTEGER NOT NULL,
    kind   INTEGER NOT NULL,
    reason TEXT    NOT NULL,
    body   BLOB    NOT NULL,
    at     INTEGER NOT NULL,
    PRIMARY KEY (box, epoch, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE poison_count (
    box   TEXT    PRIMARY KEY,
    seen  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- In the order of time: all sites add at the end, and a question is one stretch. queue '' is the whole site.
CREATE TABLE interval (
    site           TEXT    NOT NULL REFERENCES site,
    queue          TEXT    NOT NULL,
    start          INTEGER NOT NULL,
    length_s       INTEGER NOT NULL,
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
    PRIMARY KEY (start, length_s, site, queue)
) STRICT, WITHOUT ROWID;

CREATE TABLE health (
    box      TEXT    PRIMARY KEY REFERENCES box,
    site     TEXT    NOT NULL,
    body     TEXT    NOT NULL,
    received INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE user (
    login    TEXT    PRIMARY KEY,
    password TEXT    NOT NULL,
    role     TEXT    NOT NULL CHECK (role IN ('administrator', 'analyst')),
    created  INTEGER NOT NULL,
    disabled INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE session (
    token_hash BLOB    PRIMARY KEY,
    login      TEXT    NOT NULL REFERENCES user,
    created    INTEGER NOT NULL,
    expires    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX session_expires ON session (expires);

CREATE TABLE audit (
    seq    INTEGER PRIMARY KEY,
    at     INTEGER NOT NULL,
    who    TEXT    NOT NULL,
    what   TEXT    NOT NULL,
    detail TEXT    NOT NULL,
    hash   BLOB    NOT NULL
) STRICT;
CREATE TABLE audit_head (
    one  INTEGER PRIMARY KEY CHECK (one = 1),
    seq  INTEGER NOT NULL,
    hash BLOB    NOT NULL
) STRICT;
CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit is only ever added to'); END;
CREATE TRIGGER audit_is_not_cut BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit is only ever added to'); END;

CREATE TABLE bundle (
    sha256  TEXT    PRIMARY KEY,
    name    TEXT    NOT NULL,
    version TEXT    NOT NULL,
    size    INTEGER NOT NULL,
    added   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE bundle_offer (
    site    TEXT    PRIMARY KEY REFERENCES site,
    sha256  TEXT    NOT NULL REFERENCES bundle,
    offered INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
