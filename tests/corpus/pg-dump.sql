--
-- PostgreSQL database dump
--

\restrict MAGOKp7Ltk9ePLWe3Mn1Dnot0Nn8YlkyVlIg7ABpZkSmKRAVMzwjjVUqlSqZDfQ

SET statement_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET row_security = off;

CREATE FUNCTION public.f() RETURNS trigger
    LANGUAGE plpgsql
    AS $_$
begin
  execute 'select $1; '';' using 1;
  return new;
end;
$_$;

CREATE TABLE public.t (
    id bigint NOT NULL,
    "odd;name" text DEFAULT ';'::text
);

COPY public.t (id, "odd;name") FROM stdin;
1	a;b
2	\\.
3	\N
\.


SELECT pg_catalog.setval('public.t_id_seq', 1, false);

ALTER TABLE ONLY public.t
    ADD CONSTRAINT t_pkey PRIMARY KEY (id);

--
-- PostgreSQL database dump complete
--

\unrestrict MAGOKp7Ltk9ePLWe3Mn1Dnot0Nn8YlkyVlIg7ABpZkSmKRAVMzwjjVUqlSqZDfQ

