# The scripts that random-faults loads: each is a function that returns the lines, and gets the directory
# where it may write other files. They change the tables account, item and old, and more.
package FaultScripts;
use strict;
use warnings;
use Exporter qw(import);
use FindBin qw($RealBin);
use lib $RealBin;
use RandomRuns;

our @EXPORT = qw(%scripts);

our %scripts = (
	inserts => \&write_inserts,
	copy => \&write_copy,
	ddl => \&write_ddl,
	include => \&write_include,
	dump => \&write_dump,
	deferred => \&write_deferred,
);

sub write_inserts {
	return "DELETE FROM old;\n",
		map { sprintf("INSERT INTO item VALUES (%d, %d, 'note %d');\n", 10000 + $_, 1 + $_ % 500, $_) }
		1 .. 12000;
}

sub rows {
	my ($first, $last, $filler) = @_;
	return map { "$_\tline $_\t$filler\n" } $first .. $last;
}

sub write_copy {
	return "TRUNCATE old;\nCREATE TABLE event (id int, what text, more text);\nCOPY event FROM stdin;\n",
		rows(1, 60000, 'x' x 90), "\\.\n",
		"CREATE INDEX ON event (what);\nUPDATE account SET balance = balance + 1;\n",
		map { "INSERT INTO event VALUES (-$_, 'after');\n" } 1 .. 300;
}

sub write_ddl {
	my @text = ("DROP TABLE old;\nALTER TABLE account ADD COLUMN email text;\n");
	for my $i (1 .. 60) {
		push @text, <<~SQL;
			CREATE TABLE part_$i (id serial PRIMARY KEY, item int REFERENCES item, body text DEFAULT 'a;b');
			CREATE INDEX ON part_$i (item);
			CREATE FUNCTION count_$i() RETURNS bigint LANGUAGE plpgsql AS \$f\$
			BEGIN
				RETURN (SELECT count(*) FROM part_$i);
			END \$f\$;
			DO \$\$
			BEGIN
				FOR i IN 1 .. 50 LOOP
					BEGIN
						INSERT INTO part_$i (item, body) VALUES (i, 'row ' || i);
					EXCEPTION WHEN unique_violation THEN RAISE NOTICE 'twice';
					END;
				END LOOP;
			END \$\$;
			SQL
	}
	return @text, "DROP VIEW busy;\n",
		"CREATE OR REPLACE FUNCTION total() RETURNS numeric LANGUAGE sql AS 'SELECT 1.0';\n";
}

sub write_include {
	my ($work) = @_;
	write_file("$work/part.sql", "\\if :first\nDELETE FROM old;\n\\endif\n",
		map { "INSERT INTO :\"where\" VALUES (:base + $_, 1 + $_ % 500, :'note');\n" } 1 .. 3000);
	my @text = ("SELECT max(id) AS top FROM item \\gset\n\\set where item\n\\set first true\n");
	for my $i (1 .. 4) {
		push @text, "\\set base $i*10000\n\\set note 'it''s part $i'\n\\ir part.sql\n\\set first false\n",
			"UPDATE account SET balance = :top WHERE id = $i;\n";
	}
	return @text;
}

sub write_dump {
	my @text = ("SET statement_timeout = 0;\nSET client_encoding = 'UTF8';\n"
		. "SET standard_conforming_strings = on;\n"
		. "SELECT pg_catalog.set_config('search_path', '', false);\n"
		. "SET check_function_bodies = false;\nSET client_min_messages = warning;\n");
	for my $i (1 .. 8) {
		push @text, "\n--\n-- Name: dump_$i; Type: TABLE; Schema: public\n--\n\n",
			"CREATE TABLE public.dump_$i (id integer NOT NULL, what text, more text);\n\n";
	}
	for my $i (1 .. 8) {
		push @text, "COPY public.dump_$i (id, what, more) FROM stdin;\n",
			rows(1, 8000, 'y' x 80), "\\.\n\n\n";
	}
	for my $i (1 .. 8) {
		push @text, "ALTER TABLE ONLY public.dump_$i\n    ADD CONSTRAINT dump_${i}_pkey PRIMARY KEY (id);\n\n";
	}
	return @text, "ALTER TABLE ONLY public.dump_2 ADD CONSTRAINT one FOREIGN KEY (id)"
		. " REFERENCES public.dump_1(id);\nDELETE FROM public.old;\n";
}

# Most of its time goes into COMMIT.
sub write_deferred {
	return "TRUNCATE old;\n"
		. "CREATE TABLE entry (id int, account int REFERENCES account DEFERRABLE INITIALLY DEFERRED);\n"
		. "INSERT INTO entry SELECT i, 1 + i % 500 FROM generate_series(1, 40000) AS i;\n";
}

1;
