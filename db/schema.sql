-- The sample: people and what they post. Made again from nothing each time, so loading it twice
-- leaves the same as loading it once.

DROP TABLE IF EXISTS activities;
DROP TABLE IF EXISTS users;

CREATE TABLE users (
  -- gen_random_uuid() is part of PostgreSQL since version 13: no extension is needed.
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  display_name text NOT NULL CHECK (display_name <> ''),
  -- What stands after the @; lower case, so that two people cannot differ by case alone.
  handle text NOT NULL UNIQUE CHECK (handle ~ '^[a-z0-9_]{1,30}$'),
  email text NOT NULL UNIQUE CHECK (email LIKE '_%@_%'),
  -- The subject of the identity provider; unknown until the first login.
  cognito_user_id text UNIQUE,
  created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE activities (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  message text NOT NULL CHECK (char_length(message) BETWEEN 1 AND 1024),
  likes_count integer NOT NULL DEFAULT 0 CHECK (likes_count >= 0),
  reposts_count integer NOT NULL DEFAULT 0 CHECK (reposts_count >= 0),
  replies_count integer NOT NULL DEFAULT 0 CHECK (replies_count >= 0),
  -- Replies go with the activity they answer.
  reply_to_activity_id uuid REFERENCES activities (id) ON DELETE CASCADE,
  expires_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  CHECK (expires_at > created_at),
  CHECK (reply_to_activity_id <> id)
);

-- A foreign key has no index of its own, and every delete of a user would read the whole table.
CREATE INDEX activities_user_id_created_at_idx ON activities (user_id, created_at DESC);
CREATE INDEX activities_reply_to_activity_id_idx ON activities (reply_to_activity_id);

COMMENT ON TABLE users IS 'People who may post';
COMMENT ON TABLE activities IS 'Posts and the replies to them';
