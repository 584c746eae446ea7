-- What no other server has but its standbys, and servers restored from its backups.
SELECT s.system_identifier
  FROM pg_catalog.pg_control_system() s
