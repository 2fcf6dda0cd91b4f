-- Six roles, each for all sites ('*') or for some (their ids, a space between two), and people whom another
-- organisation's sign-in vouches for (issuer and subject). What an earlier version reads and writes stays as it was.
ALTER TABLE "user" DROP CONSTRAINT user_role_check;
ALTER TABLE "user" ADD CONSTRAINT user_role_check CHECK (role IN
    ('administrator', 'site_administrator', 'supervisor', 'analyst', 'compliance', 'viewer'));
ALTER TABLE "user" ADD COLUMN sites TEXT COLLATE "C" NOT NULL DEFAULT '*';
ALTER TABLE "user" ADD COLUMN issuer TEXT COLLATE "C";
ALTER TABLE "user" ADD COLUMN subject TEXT COLLATE "C";
ALTER TABLE "user" ADD COLUMN signed_in BIGINT;
CREATE UNIQUE INDEX user_subject ON "user" (issuer, subject);

-- Sign-ins that somebody else is asked about at this moment.
CREATE TABLE asked (
    state    BYTEA PRIMARY KEY,
    nonce    TEXT COLLATE "C" NOT NULL,
    verifier TEXT COLLATE "C" NOT NULL,
    expires  BIGINT NOT NULL
);
