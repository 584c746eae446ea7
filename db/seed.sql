-- Three people, three posts. The keys are fixed, so that seeding again changes nothing.

INSERT INTO users (id, display_name, handle, email, cognito_user_id) VALUES
  ('5b1f6d2e-6f0a-4c3e-9c55-0d6a7a1c1001', 'Andrew Brown', 'andrewbrown', 'andrew@example.com', NULL),
  ('5b1f6d2e-6f0a-4c3e-9c55-0d6a7a1c1002', 'Andrew Bayko', 'bayko', 'bayko@example.com', NULL),
  ('5b1f6d2e-6f0a-4c3e-9c55-0d6a7a1c1003', 'Londo Mollari', 'londo', 'londo@example.com', NULL)
ON CONFLICT (id) DO NOTHING;

INSERT INTO activities (id, user_id, message, expires_at) VALUES
  (
    '9d3c8b5a-1e2f-4a6b-8c7d-2f4e6a8c2001',
    (SELECT id FROM users WHERE handle = 'andrewbrown'),
    'This was imported as seed data!',
    now() + interval '10 days'
  ),
  (
    '9d3c8b5a-1e2f-4a6b-8c7d-2f4e6a8c2002',
    (SELECT id FROM users WHERE handle = 'londo'),
    'My quarters are never quiet; can anyone recommend a lock?',
    NULL
  )
ON CONFLICT (id) DO NOTHING;

INSERT INTO activities (id, user_id, message, reply_to_activity_id) VALUES
  (
    '9d3c8b5a-1e2f-4a6b-8c7d-2f4e6a8c2003',
    (SELECT id FROM users WHERE handle = 'bayko'),
    'Try a louder neighbour.',
    '9d3c8b5a-1e2f-4a6b-8c7d-2f4e6a8c2002'
  )
ON CONFLICT (id) DO NOTHING;

UPDATE activities
SET replies_count = (
  SELECT count(*) FROM activities AS reply WHERE reply.reply_to_activity_id = activities.id
)
WHERE id = '9d3c8b5a-1e2f-4a6b-8c7d-2f4e6a8c2002';
