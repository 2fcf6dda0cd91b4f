-- The schema of the file (0001 to 0003) as PostgreSQL speaks it; text is ordered by its bytes, as there.
-- Times are milliseconds since 1970 in UTC. Ids are the text their types print.

CREATE TABLE org (
    one     BIGINT PRIMARY KEY CHECK (one = 1),
    label   TEXT COLLATE "C" NOT NULL,
    created BIGINT NOT NULL
);

-- `intervals` counts the different intervals received, so that completeness needs no walk over the figures.
CREATE TABLE site (
    site      TEXT COLLATE "C" PRIMARY KEY,
    created   BIGINT NOT NULL,
    intervals BIGINT NOT NULL DEFAULT 0
);

CREATE TABLE box (
    box         TEXT COLLATE "C" PRIMARY KEY,
    site        TEXT COLLATE "C" NOT NULL REFERENCES site,
    enrolled    BIGINT NOT NULL,
    serial      TEXT COLLATE "C",
    not_after   BIGINT,
    revoked     BIGINT
);
CREATE INDEX box_site ON box (site);

-- The code itself is shown once and never stored.
CREATE TABLE enrolment (
    token_hash BYTEA PRIMARY KEY,
    site       TEXT COLLATE "C" NOT NULL REFERENCES site,
    created    BIGINT NOT NULL,
    expires    BIGINT NOT NULL,
    used       BIGINT,
    used_by    TEXT COLLATE "C",
    key_hash   BYTEA
);

CREATE TABLE config_change (
    site   TEXT COLLATE "C" NOT NULL REFERENCES site,
    doc    TEXT COLLATE "C" NOT NULL CHECK (doc IN ('org', 'site', 'local')),
    seq    BIGINT NOT NULL,
    hash   BYTEA NOT NULL CHECK (length(hash) = 32),
    deps   BYTEA NOT NULL CHECK (length(deps) % 32 = 0),
    bytes  BYTEA NOT NULL,
    author TEXT COLLATE "C" NOT NULL,
    at     BIGINT NOT NULL,
    note   TEXT COLLATE "C" NOT NULL DEFAULT '',
    PRIMARY KEY (site, doc, seq),
    UNIQUE (site, doc, hash)
);

-- The changes nothing depends on yet, so that they are known without loading a document.
CREATE TABLE config_head (
    site TEXT COLLATE "C" NOT NULL,
    doc  TEXT COLLATE "C" NOT NULL,
    hash BYTEA NOT NULL,
    PRIMARY KEY (site, doc, hash)
);

CREATE TABLE sync_state (
    box   TEXT COLLATE "C" NOT NULL REFERENCES box,
    doc   TEXT COLLATE "C" NOT NULL CHECK (doc IN ('org', 'site', 'local')),
    bytes BYTEA NOT NULL,
    at    BIGINT NOT NULL,
    PRIMARY KEY (box, doc)
);

CREATE TABLE watermark (
    box   TEXT COLLATE "C" NOT NULL REFERENCES box,
    epoch TEXT COLLATE "C" NOT NULL,
    seq   BIGINT NOT NULL,
    at    BIGINT NOT NULL,
    PRIMARY KEY (box, epoch)
);

CREATE TABLE poison (
    box    TEXT COLLATE "C" NOT NULL,
    epoch  TEXT COLLATE "C" NOT NULL,
    seq    BIGINT NOT NULL,
    kind   BIGINT NOT NULL,
    reason TEXT COLLATE "C" NOT NULL,
    body   BYTEA NOT NULL,
    at     BIGINT NOT NULL,
    PRIMARY KEY (box, epoch, seq)
);

CREATE TABLE poison_count (
    box   TEXT COLLATE "C" PRIMARY KEY,
    seen  BIGINT NOT NULL
);

-- In the order of time: all sites add at the end, and a question is one stretch. queue '' is the whole site.
CREATE TABLE "interval" (
    site           TEXT COLLATE "C" NOT NULL REFERENCES site,
    queue          TEXT COLLATE "C" NOT NULL,
    start          BIGINT NOT NULL,
    length_s       BIGINT NOT NULL,
    revision       BIGINT NOT NULL,
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
    received       BIGINT NOT NULL,
    PRIMARY KEY (start, length_s, site, queue)
);

CREATE TABLE health (
    box      TEXT COLLATE "C" PRIMARY KEY REFERENCES box,
    site     TEXT COLLATE "C" NOT NULL,
    body     TEXT COLLATE "C" NOT NULL,
    received BIGINT NOT NULL
);

CREATE TABLE "user" (
    login    TEXT COLLATE "C" PRIMARY KEY,
    password TEXT COLLATE "C" NOT NULL,
    role     TEXT COLLATE "C" NOT NULL CHECK (role IN ('administrator', 'analyst')),
    created  BIGINT NOT NULL,
    disabled BIGINT
);

CREATE TABLE session (
    token_hash BYTEA PRIMARY KEY,
    login      TEXT COLLATE "C" NOT NULL REFERENCES "user",
    created    BIGINT NOT NULL,
    expires    BIGINT NOT NULL
);
CREATE INDEX session_expires ON session (expires);

CREATE TABLE audit (
    seq    BIGINT PRIMARY KEY,
    at     BIGINT NOT NULL,
    who    TEXT COLLATE "C" NOT NULL,
    what   TEXT COLLATE "C" NOT NULL,
    detail TEXT COLLATE "C" NOT NULL,
    hash   BYTEA NOT NULL
);
CREATE TABLE audit_head (
    one  BIGINT PRIMARY KEY CHECK (one = 1),
    seq  BIGINT NOT NULL,
    hash BYTEA NOT NULL
);
CREATE FUNCTION audit_is_only_added_to() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit is only ever added to';
END $$;
CREATE TRIGGER audit_is_not_changed BEFORE UPDATE OR DELETE ON audit
    FOR EACH ROW EXECUTE FUNCTION audit_is_only_added_to();
CREATE TRIGGER audit_is_not_emptied BEFORE TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION audit_is_only_added_to();

CREATE TABLE bundle (
    sha256  TEXT COLLATE "C" PRIMARY KEY,
    name    TEXT COLLATE "C" NOT NULL,
    version TEXT COLLATE "C" NOT NULL,
    size    BIGINT NOT NULL,
    added   BIGINT NOT NULL
);

CREATE TABLE bundle_offer (
    site    TEXT COLLATE "C" PRIMARY KEY REFERENCES site,
    sha256  TEXT COLLATE "C" NOT NULL REFERENCES bundle,
    offered BIGINT NOT NULL
);
-- What people at the centre must see soon; a box says it again under the same name when it has gone on.
CREATE TABLE notice (
    box      TEXT COLLATE "C" NOT NULL REFERENCES box,
    notice   TEXT COLLATE "C" NOT NULL,
    site     TEXT COLLATE "C" NOT NULL REFERENCES site,
    at       BIGINT NOT NULL,
    what     TEXT COLLATE "C" NOT NULL,
    place    TEXT COLLATE "C",
    received BIGINT NOT NULL,
    seen_by  TEXT COLLATE "C",
    seen     BIGINT,
    PRIMARY KEY (box, notice)
);
CREATE INDEX notice_by_time ON notice (received);
-- What was changed last of each site, so that the other processes on this database look again. Turns only grow.
CREATE TABLE touched (
    site   TEXT COLLATE "C" NOT NULL REFERENCES site,
    what   TEXT COLLATE "C" NOT NULL CHECK (what IN ('org', 'site', 'local', 'figures', 'box', 'offer')),
    turn   BIGINT NOT NULL,
    writer TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (site, what)
);
CREATE UNIQUE INDEX touched_turn ON touched (turn);
-- Which instance a box is linked to: written now and then for all boxes together, never because one of them connected.
CREATE TABLE presence (
    box      TEXT COLLATE "C" PRIMARY KEY REFERENCES box,
    site     TEXT COLLATE "C" NOT NULL REFERENCES site,
    instance TEXT COLLATE "C" NOT NULL,
    since    BIGINT NOT NULL,
    body     TEXT COLLATE "C" NOT NULL
);
CREATE INDEX presence_instance ON presence (instance);
CREATE TABLE instance (
    instance TEXT COLLATE "C" PRIMARY KEY,
    label    TEXT COLLATE "C" NOT NULL,
    heard    BIGINT NOT NULL
);
