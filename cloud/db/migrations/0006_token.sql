-- Programs that use the console's interface. The token itself is shown once and never stored.
CREATE TABLE token (
    token_hash BLOB    PRIMARY KEY CHECK (length(token_hash) = 32),
    name       TEXT    NOT NULL,
    role       TEXT    NOT NULL CHECK (role IN
        ('administrator', 'site_administrator', 'supervisor', 'analyst', 'compliance', 'viewer')),
    sites      TEXT    NOT NULL,
    created    INTEGER NOT NULL,
    created_by TEXT    NOT NULL,
    expires    INTEGER,
    used       INTEGER,
    revoked    INTEGER
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX token_name ON token (name);
