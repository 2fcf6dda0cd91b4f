-- Words by which sites are found together.
CREATE TABLE site_tag (
    site TEXT COLLATE "C" NOT NULL REFERENCES site,
    tag  TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (site, tag)
);

-- Changes of a configuration that are kept, to be made at many sites. JSON.
CREATE TABLE template (
    template TEXT COLLATE "C" PRIMARY KEY,
    label    TEXT COLLATE "C" NOT NULL,
    changes  TEXT COLLATE "C" NOT NULL,
    author   TEXT COLLATE "C" NOT NULL,
    at       BIGINT NOT NULL
);

-- `overrule`: also where a branch itself says otherwise. `body` is the machine as it stands. `version` grows with each step: whoever writes names the one they saw.
CREATE TABLE rollout (
    rollout  BIGINT PRIMARY KEY,
    label    TEXT COLLATE "C" NOT NULL,
    changes  TEXT COLLATE "C" NOT NULL,
    overrule BIGINT NOT NULL,
    body     TEXT COLLATE "C" NOT NULL,
    version  BIGINT NOT NULL,
    live     BIGINT NOT NULL,
    created  BIGINT NOT NULL
);
CREATE INDEX rollout_live ON rollout (live);

-- Which changes of a site's documents a roll-out has made there, so that they can be taken back.
CREATE TABLE rollout_change (
    rollout BIGINT NOT NULL REFERENCES rollout,
    site    TEXT COLLATE "C" NOT NULL REFERENCES site,
    doc     TEXT COLLATE "C" NOT NULL,
    seq     BIGINT NOT NULL,
    PRIMARY KEY (rollout, site, doc, seq)
);

-- Which configuration each box runs, as it said last.
CREATE TABLE running (
    box      TEXT COLLATE "C" PRIMARY KEY REFERENCES box,
    site     TEXT COLLATE "C" NOT NULL,
    body     TEXT COLLATE "C" NOT NULL,
    received BIGINT NOT NULL
);
CREATE INDEX running_site ON running (site);

-- Work that one instance does for all, for as long as it says so.
CREATE TABLE lease (
    work   TEXT COLLATE "C" PRIMARY KEY,
    holder TEXT COLLATE "C" NOT NULL,
    until  BIGINT NOT NULL
);
