-- The name by which the server knows the database of this connection.
SELECT pg_catalog.current_database()
