\set from_include 'value; x'
