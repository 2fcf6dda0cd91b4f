-- Programs that use the console's interface. The token itself is shown once and never stored.
CREATE TABLE token (
    token_hash BYTEA  PRIMARY KEY CHECK (length(token_hash) = 32),
    name       TEXT COLLATE "C" NOT NULL,
    role       TEXT COLLATE "C" NOT NULL CHECK (role IN
        ('administrator', 'site_administrator', 'supervisor', 'analyst', 'compliance', 'viewer')),
    sites      TEXT COLLATE "C" NOT NULL,
    created    BIGINT NOT NULL,
    created_by TEXT COLLATE "C" NOT NULL,
    expires    BIGINT,
    used       BIGINT,
    revoked    BIGINT
);
CREATE UNIQUE INDEX token_name ON token (name);
