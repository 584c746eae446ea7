CREATE TABLE here (a int);
SELECT current_database() || '_other' AS other \gset
SELECT current_database() AS own \gset
CREATE DATABASE :"other";
\connect :other
CREATE TABLE there (a int);
INSERT INTO there VALUES (1);
SET search_path = nowhere;
\c :own
CREATE TABLE public_again (a text DEFAULT current_setting('search_path'));
INSERT INTO public_again DEFAULT VALUES;
\c - -
INSERT INTO here SELECT count(*) FROM public_again;
