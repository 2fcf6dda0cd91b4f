-- Six roles, each for all sites ('*') or for some (their ids, a space between two), and people whom another
-- organisation's sign-in vouches for (issuer and subject). Whoever is signed in signs in again after this step.
DROP TABLE session;
ALTER TABLE user RENAME TO user_before;
CREATE TABLE user (
    login    TEXT    PRIMARY KEY,
    password TEXT    NOT NULL,
    role     TEXT    NOT NULL CHECK (role IN
        ('administrator', 'site_administrator', 'supervisor', 'analyst', 'compliance', 'viewer')),
    created  INTEGER NOT NULL,
    disabled INTEGER,
    sites    TEXT    NOT NULL DEFAULT '*',
    issuer   TEXT,
    subject  TEXT,
    signed_in INTEGER
) STRICT, WITHOUT ROWID;
INSERT INTO user (login, password, role, created, disabled)
    SELECT login, password, role, created, disabled FROM user_before;
DROP TABLE user_before;
CREATE UNIQUE INDEX user_subject ON user (issuer, subject);

CREATE TABLE session (
    token_hash BLOB    PRIMARY KEY,
    login      TEXT    NOT NULL REFERENCES user,
    created    INTEGER NOT NULL,
    expires    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX session_expires ON session (expires);

-- Sign-ins that somebody else is asked about at this moment.
CREATE TABLE asked (
    state    BLOB    PRIMARY KEY,
    nonce    TEXT    NOT NULL,
    verifier TEXT    NOT NULL,
    expires  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
