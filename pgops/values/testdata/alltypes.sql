-- Makes the schemas alltypes and alltypes2: tables with values of every built-in type and
-- with every shape a heap can have. For psql of 13 to 18, as a superuser, in a database of
-- encoding UTF8, once per database. What a server cannot do is left out: lz4 where it was not
-- built in, the open prepared transaction where max_prepared_transactions is 0.
\set ON_ERROR_STOP on
\set QUIET on
SET client_encoding = 'UTF8';
SET client_min_messages = warning;
SET timezone = 'UTC';
SELECT current_setting('server_version_num')::int >= 140000 AS v14,
       current_setting('server_version_num')::int >= 150000 AS v15,
       current_setting('server_version_num')::int >= 160000 AS v16,
       current_setting('server_version_num')::int >= 170000 AS v17,
       current_setting('server_version_num')::int >= 180000 AS v18,
       current_setting('max_prepared_transactions')::int > 0 AS twophase,
       EXISTS (SELECT FROM pg_settings WHERE name = 'default_toast_compression' AND 'lz4' = ANY (enumvals)) AS lz4,
       EXISTS (SELECT FROM pg_tablespace WHERE spcname = 'alltypes_space') AS spaced \gset
CREATE SCHEMA alltypes;
CREATE SCHEMA alltypes2;
SET search_path = alltypes;

-- One row per sample value. The loop below makes of each type a domain, a composite and a table.
CREATE TABLE sample (ord int GENERATED ALWAYS AS IDENTITY, type text NOT NULL, val text NOT NULL);
INSERT INTO sample (type, val) SELECT t, unnest(v) FROM (VALUES
 ('bool', '{t,f}'::text[]),
 ('bytea', ARRAY['', '\x00', '\x5c', '\xdeadbeef00ff', '\x' || (SELECT string_agg(lpad(to_hex(i), 2, '0'), '') FROM generate_series(0, 255) i)]),
 ('"char"', ARRAY['a', '', ' ', '\', ',', '"', '{']),
 ('name', ARRAY['', 'pg_class', 'a "quoted" name', repeat('n', 63), 'ünï', E'tab\tnewline\n']),
 ('int8', '{0,1,-1,9223372036854775807,-9223372036854775808,42}'),
 ('int2', '{0,1,-1,32767,-32768}'),
 ('int2vector', ARRAY['', '1', '1 2 3', '-32768 32767 0']),
 ('int4', '{0,1,-1,2147483647,-2147483648}'),
 ('regproc', '{-,pg_catalog.now,alltypes.sample_fn,"alltypes.\"Odd fn\"",424242,1317}'),
 ('text', ARRAY['', 'a', 'NULL', 'null', '\N', '\.', '.', '\', '\\', E'\t', E'\n', E'\r\n', E'\x01\x02\x08\x0b\x0c\x1f\x7f',
   '"', '""', '''', ',', 'a,b', '{}', '{a}', '(a,b)', ' lead', 'trail ', 'ünïcödé', '日本語', '😀', E'line one\nline two',
   E'\\.\n\\.', 'a;b|c', '<&>', E'\u2028', repeat('x', 126), repeat('x', 127), repeat('y', 2000), repeat('häß', 300)]),
 ('oid', '{0,1,4294967295}'),
 ('tid', '{"(0,0)","(0,1)","(4294967295,65535)","(65536,2)"}'),
 ('xid', '{0,3,4294967295}'),
 ('cid', '{0,4294967295}'),
 ('oidvector', ARRAY['', '1', '0 4294967295 23']),
 ('json', ARRAY['{}', '[]', 'null', '"s"', ' { "a" : 1 , "a":2 } ', '[1, 2.50, 1e5, true, "\u00e9\n"]', E'{\n  "k": [ {} ]\n}']),
 ('xml', ARRAY['<a/>', '<a b="c">text &amp; more</a>', 'no element', '<?xml version="1.0"?><x> y </x>', E'<m>\n</m>']),
 ('point', ARRAY['(0,0)', '(1.5,-2.25)', '(1e300,1e-300)', '(NaN,Infinity)', '(-0,0.1)']),
 ('lseg', ARRAY['[(0,0),(1,1)]', '[(-1.5,2),(3,1e10)]']),
 ('path', ARRAY['[(0,0),(1,1),(2,0)]', '((0,0),(1,1),(2,0))', '[(1,2)]', '((1.25,-2))']),
 ('box', ARRAY['(1,1),(0,0)', '(2.5,3.5),(-1,-2)', '(0,0),(0,0)']),
 ('polygon', ARRAY['((0,0),(1,1),(2,0))', '((1,2))']),
 ('line', ARRAY['{1,-1,0}', '{0,-1,2.5}', '{1.5,2,-3}']),
 ('cidr', ARRAY['10.0.0.0/8', '192.168.1.0/24', '1.2.3.4/32', '0.0.0.0/0', '2001:db8::/32', '::/0', '::1/128', '::ffff:1.2.3.0/120']),
 ('float4', '{0,-0,1,-1.5,0.1,3.4028235e38,1.4e-45,1e-5,1e15,123456.78,NaN,Infinity,-Infinity}'),
 ('float8', '{0,-0,1,-1.5,0.1,0.30000000000000004,1.7976931348623157e308,5e-324,1e-5,0.0001,1e15,1e16,123456789012345680,NaN,Infinity,-Infinity}'),
 ('circle', ARRAY['<(0,0),1>', '<(1.5,-2.5),0>', '<(0,0),Infinity>']),
 ('macaddr8', ARRAY['08:00:2b:01:02:03:04:05', '00:00:00:00:00:00:00:00', 'ff:ff:ff:ff:ff:ff:ff:ff']),
 ('money', ARRAY['0', '1', '-1', '1234.56', '-1234567.89', '92233720368547758.07', '-92233720368547758.08', '0.05']),
 ('macaddr', ARRAY['08:00:2b:01:02:03', '00:00:00:00:00:00', 'ff:ff:ff:ff:ff:ff']),
 ('inet', ARRAY['127.0.0.1', '10.1.2.3/8', '0.0.0.0/0', '255.255.255.255', '::1', 'fe80::1/64', '2001:db8:0:0:1:0:0:1', '::', '::ffff:1.2.3.4', '1:0:0:2::/1']),
 ('bpchar', ARRAY['', 'abc', 'pad   ', 'ünï ']),
 ('varchar', ARRAY['', 'abc', 'trail  ', 'ünï']),
 ('date', '{2000-01-01,1970-01-01,1999-12-31,0001-01-01,"0001-12-31 BC","4714-11-24 BC",5874897-12-31,infinity,-infinity,2024-02-29}'),
 ('time', '{00:00:00,12:34:56.789,23:59:59.999999,24:00:00,01:02:03.000001}'),
 ('timestamp', '{"2000-01-01 00:00:00","1999-12-31 23:59:59.999999","4714-11-24 00:00:00 BC","294276-12-31 23:59:59.999999",infinity,-infinity,"0001-01-01 00:00:00","0044-03-15 12:00:00.5 BC","2024-02-29 12:34:56.7"}'),
 ('timestamptz', '{"2000-01-01 00:00:00+00","1999-12-31 23:59:59.999999+00","4714-11-24 00:00:00+00 BC","294276-12-31 23:59:59.999999+00",infinity,-infinity,"0001-01-01 00:00:00+00","1883-11-18 12:00:00+00","2024-07-01 12:00:00.25+02"}'),
 ('interval', '{0,"1 year","-1 year","1 year -2 mons","1 day","-1 day","1 mon -1 day","12:34:56.789","-00:00:00.000001","1 day -01:00:00","178000000 years","2147483647 days","-1 mons +1 day -00:00:01","26 hours","-3 years -4 mons -5 days -6:07:08.9"}'),
 ('timetz', '{00:00:00+00,12:34:56.789+05:30,24:00:00-15:59,23:59:59.999999+01:02:03,01:00:00-08}'),
 ('bit', '{0,1}'),
 ('varbit', ARRAY['', '0', '1', '10101', '11111111', '000000001', repeat('10', 40) || '1']),
 ('numeric', '{0,0.00,1,-1,10000,9999,10001,0.1,-0.0001,0.00001,123456789.987654321,1e100,-1e-100,NaN,100000000,0.5000,99999999999999999999999999999.99999,12345678901234567890123456789012345678901234567890}'),
 ('refcursor', ARRAY['', 'cur', '<unnamed portal 1>']),
 ('regprocedure', '{-,"pg_catalog.now()","alltypes.sample_fn(integer,text)","pg_catalog.length(text)",424242}'),
 ('regoper', '{0,pg_catalog.||/,424242,alltypes.<+++>}'),
 ('regoperator', '{0,"pg_catalog.+(integer,integer)","-(NONE,bigint)","alltypes.<+++>(text,text)",424242}'),
 ('regclass', '{-,pg_catalog.pg_class,alltypes.sample,"alltypes.\"Odd table\"",424242}'),
 ('regtype', '{-,integer,text[],"timestamp with time zone","\"char\"",pg_catalog.pg_class,alltypes.sample,alltypes.sample[],424242,"double precision",numeric,bit,"bit varying",character,interval}'),
 ('uuid', '{00000000-0000-0000-0000-000000000000,a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11,ffffffff-ffff-ffff-ffff-ffffffffffff}'),
 ('txid_snapshot', '{1:1:,10:20:10\,14\,15,1:9223372036854775807:}'),
 ('pg_lsn', '{0/0,16/B374D848,FFFFFFFF/FFFFFFFF}'),
 ('tsvector', ARRAY['', 'a', 'a:1', 'fat:2,4A cat:3B,5C rat:1D', '''it''''s'' ''a b'':5', 'back\\slash', '''''''''', 'ünï:16383A', 'x:1,2,3,4,5,6,7,8,9,10']),
 ('tsquery', ARRAY['', 'a', 'a & b | !c', '(a | b) & c', 'a <-> b <3> c', '!(a & b)', '!!a', 'a:*', 'a:AB', 'a:*CD & b', '''it''''s'' & ''a b''', 'a <-> (b | c)', '(a <-> b) <-> c', 'a <-> (b <-> c)', '!a <-> b', '!(a <-> b)', 'back\\slash']),
 ('regconfig', '{0,simple,pg_catalog.english,424242}'),
 ('regdictionary', '{0,simple,pg_catalog.english_stem,424242}'),
 ('jsonb', ARRAY['{}', '[]', 'null', 'true', 'false', '0', '-1.50', '1e50', '"s"', '""', '{"a": 1, "b": [1, 2, {"c": null}], "": "x"}', '[[], {}, [[]], "\"\\\n\u0001é"]',
   '{"aa": 1, "b": 2, "a": 3, "ccc": {"z": [true, false, null]}}', '{"n": 123456789012345678901234567890.123456789, "neg": -0.000001, "zero": 0.00}', '"\u007f\u00e9/<>&"']),
 ('int4range', ARRAY['empty', '[1,5)', '(,)', '(,5)', '[1,)', '[-2147483648,2147483647)']),
 ('numrange', ARRAY['empty', '[1.50,5)', '(1,2]', '(,)', '(,0.1]', '[NaN,)', '(-1e10,1e-10)']),
 ('tsrange', ARRAY['empty', '[2000-01-01,2000-01-02 12:34:56.5)', '(-infinity,infinity]', '(,"0044-03-15 BC"]']),
 ('tstzrange', ARRAY['empty', '[2000-01-01 00:00+00,2000-01-02 00:00+00)', '(,)']),
 ('daterange', ARRAY['empty', '[2000-01-01,2000-02-01)', '(,infinity)', '["0002-01-01 BC",)']),
 ('int8range', ARRAY['empty', '[1,5)', '[-9223372036854775808,9223372036854775807)']),
 ('jsonpath', ARRAY['$', 'strict $.a', '$.a.b[*] ? (@.x > 1 && @.y == "z")', '$."odd key"[0, 2 to last].**{2 to 5}', '-$.a * (1 + 2.50) % 3', '$.a.type().size()', '$ ? (@ like_regex "^a.*" flag "iq")',
   '$ ? (exists(@.b) || !(@.c starts with "x"))', '$var + $."two words"', '(($.a > 1) is unknown)', '$ ? (!(@.a > 1 && @.b <= 2) || (@.c <> 3) is unknown)', '$.**.*', '$.datetime("HH24:MI")', '"s\u00e9\"x"', '$.a ? (@ == null || @ == true)', '$.keyvalue().key', '$.**{last}', '-(1)', '$[last - 1]', '+$.x.ceiling().abs().floor().double()']),
 ('regnamespace', '{-,pg_catalog,alltypes,424242}'),
 ('regrole', '{-,pg_monitor,424242}'),
 ('regcollation', '{-,"pg_catalog.\"C\"","pg_catalog.\"default\"",424242}'),
 ('pg_snapshot', '{1:1:,10:20:10\,14\,15}'),
 ('xid8', '{0,4294967296,18446744073709551615}')) AS s (t, v);
INSERT INTO sample (type, val) SELECT 'regrole', quote_ident(current_user);
INSERT INTO sample (type, val) SELECT 'aclitem', unnest(ARRAY[quote_ident(current_user) || '=r*w/' || quote_ident(current_user), '=r/' || quote_ident(current_user), 'pg_monitor=arwdDxt/' || quote_ident(current_user)]);
\if :v14
INSERT INTO sample (type, val) SELECT t, unnest(v) FROM (VALUES
 ('numeric', '{Infinity,-Infinity}'::text[]),
 ('int4multirange', ARRAY['{}', '{[1,5)}', '{(,1),[3,5),[7,)}', '{(,)}']),
 ('nummultirange', ARRAY['{}', '{[1.5,2],(3,4)}', '{(,0),[10,20],[30,)}']),
 ('tsmultirange', ARRAY['{}', '{[2000-01-01,2000-01-02),[2001-01-01,infinity]}']),
 ('tstzmultirange', ARRAY['{}', '{[2000-01-01 00:00+00,2000-01-02 00:00+00)}']),
 ('datemultirange', ARRAY['{}', '{[2000-01-01,2000-01-02),[2001-01-01,)}']),
 ('int8multirange', ARRAY['{}', '{[1,2),[4,5),[7,8),[10,11),[13,14),[16,17)}'])) AS s (t, v);
INSERT INTO sample (type, val) SELECT 'int4multirange', (SELECT '{' || string_agg(format('[%s,%s)', i * 3, i * 3 + 1), ',') || '}' FROM generate_series(1, 200) i);
\endif
\if :v17
INSERT INTO sample (type, val) SELECT t, unnest(v) FROM (VALUES
 ('interval', '{infinity,-infinity}'::text[]),
 ('jsonpath', ARRAY['$.bigint().boolean().date().decimal(10, -2).integer().number().string()', '$.time().time_tz(3).timestamp(0).timestamp_tz()'])) AS s (t, v);
\endif

-- What the samples of the reg types name.
CREATE FUNCTION sample_fn(int, text) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION "Odd fn"() RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION cat(text, text) RETURNS text LANGUAGE sql AS 'SELECT $1 || $2';
CREATE OPERATOR <+++> (LEFTARG = text, RIGHTARG = text, FUNCTION = cat);
CREATE TABLE "Odd table" (id int);

-- A table of_<type> for each: value, domain, arrays of both, composite and array of it.
DO $$
DECLARE
  s record; v text; k int; n text; of text; d text; c text; every text;
BEGIN
  FOR s IN SELECT type, array_agg(val ORDER BY ord) AS vals FROM sample GROUP BY type ORDER BY min(ord) LOOP
    n := CASE s.type WHEN '"char"' THEN 'onechar' ELSE s.type END;
    of := quote_ident('of_' || n); d := quote_ident('dom_' || n); c := quote_ident('comp_' || n);
    EXECUTE format('CREATE DOMAIN %s AS %s', d, s.type);
    EXECUTE format('CREATE TYPE %s AS (a int2, v %s, z text)', c, s.type);
    EXECUTE format('CREATE TABLE %s (id int, v %2$s, b bool, d %3$s, a %2$s[], da %3$s[], c %4$s, ca %4$s[])', of, s.type, d, c);
    k := 0;
    FOREACH v IN ARRAY s.vals LOOP
      k := k + 1;
      EXECUTE format('INSERT INTO %1$s VALUES (%5$s, %6$L, %7$L, %6$L, ARRAY[%6$L, NULL, %8$L]::%2$s[], ARRAY[%6$L, NULL]::%3$s[],
        ROW(%5$s, %6$L, %6$L), ARRAY[ROW(%5$s, %6$L, NULL)::%4$s, NULL, ROW(NULL, NULL, ''x'')::%4$s])', of, s.type, d, c, k, v, k % 2 = 0, s.vals[1]);
    END LOOP;
    SELECT string_agg(quote_literal(u), ', ') INTO every FROM unnest(s.vals) u;
    EXECUTE format('INSERT INTO %1$s VALUES (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
      (-1, NULL, true, NULL, %5$L, ARRAY[NULL]::%3$s[], ROW(NULL, NULL, NULL), %5$L),
      (-2, %6$L, NULL, NULL, array_fill(%6$L::%2$s, ARRAY[2, 3], ARRAY[-1, 7]), NULL, NULL, NULL),
      (-3, NULL, NULL, %6$L, array_fill(%6$L::%2$s, ARRAY[2], ARRAY[0]), NULL, ROW(0, %6$L, NULL), NULL),
      (-4, NULL, NULL, NULL, array_fill(NULL::%2$s, ARRAY[1, 2, 2]), NULL, NULL, NULL),
      (-5, NULL, NULL, NULL, ARRAY[%7$s]::%2$s[], NULL, NULL, NULL),
      (-6, NULL, NULL, NULL, ARRAY[ARRAY[%7$s], ARRAY[%7$s]]::%2$s[], NULL, NULL, NULL)', of, s.type, d, c, '{}', s.vals[1], every);
  END LOOP;
END $$;

-- Types that only the system makes values of.
CREATE STATISTICS sample_stats (ndistinct, dependencies, mcv) ON type, val FROM sample;
ANALYZE sample;
CREATE TABLE system_made AS
  SELECT row_number() OVER () AS id, s.stxdndistinct, s.stxddependencies, s.stxdmcv, NULL::gtsvector AS g
  FROM pg_statistic_ext_data s;
CREATE TABLE of_node_tree AS SELECT adnum, adbin FROM pg_attrdef WHERE adrelid = 'pg_catalog.pg_attrdef'::regclass UNION ALL SELECT 1, ev_action FROM (SELECT ev_action FROM pg_rewrite ORDER BY oid LIMIT 2) r;
\if :v14
CREATE TABLE of_brin_summaries (id int, b pg_brin_bloom_summary, m pg_brin_minmax_multi_summary);
INSERT INTO of_brin_summaries VALUES (1, NULL, NULL);
\endif

-- Type modifiers.
CREATE TABLE typmods (id int, n10_2 numeric(10,2), n5 numeric(5), v10 varchar(10), c7 char(7), b5 bit(5), vb12 varbit(12),
  ts3 timestamp(3), tz0 timestamptz(0), t2 time(2), i interval day to second(2), iy interval year, na numeric(6,3)[], ca char(3)[], va varchar(4)[][], ba bit(3)[]);
INSERT INTO typmods VALUES
  (1, 12345678.905, 12345, 'ten chars!', 'abc', '10101', '1', '2000-01-01 00:00:00.123456', '2000-01-01 00:00:00.9+00', '12:00:00.126', '1 day 2:03:04.567', '7 years 3 mons', '{1,2.5,NULL}', '{a,bc,NULL}', '{{ab,cd},{ef,NULL}}', '{101,000}'),
  (2, -0.005, 0, '', '', '00000', '', NULL, NULL, NULL, NULL, NULL, '{}', '{"a b"}', '{}', NULL);
\if :v15
CREATE TABLE numeric_scales (id int, neg numeric(3,-2), big numeric(3,5));
INSERT INTO numeric_scales VALUES (1, 12345, 0.00123), (2, -99900, -0.00999), (3, 0, 0);
\endif

-- Enums, with values added before and after, and one renamed.
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy', 'it''s', 'a b', 'with "quotes"', 'ünï', '', 'NULL');
ALTER TYPE mood ADD VALUE 'glum' BEFORE 'ok';
ALTER TYPE mood ADD VALUE 'elated' AFTER 'happy';
ALTER TYPE mood RENAME VALUE 'ok' TO 'so so';
CREATE DOMAIN some_mood AS mood CHECK (VALUE <> 'sad');
CREATE TABLE enums (id serial, m mood, d some_mood, a mood[]);
INSERT INTO enums (m, d, a) SELECT m, nullif(m, 'sad'), ARRAY[m, NULL, 'a b'] FROM unnest(enum_range(NULL::mood)) m;
INSERT INTO enums (a) VALUES (enum_range(NULL::mood));

-- Domains over domains, arrays, composites and ranges.
CREATE TYPE inner_type AS (i int, t text, a int[]);
CREATE TYPE "Outer type" AS ("First, field" inner_type, n numeric(8,2), list inner_type[], "quo""te" "char", m mood, r int4range);
CREATE DOMAIN small_int AS int CHECK (VALUE < 1000);
CREATE DOMAIN smaller_int AS small_int CHECK (VALUE < 100);
CREATE DOMAIN int_list AS int[] CHECK (cardinality(VALUE) < 100);
CREATE DOMAIN inner_domain AS inner_type;
CREATE DOMAIN range_domain AS numrange;
CREATE TABLE domains (id int, d smaller_int, da smaller_int[], l int_list, c inner_domain, ca inner_domain[], r range_domain, ra range_domain[], o "Outer type", oa "Outer type"[]);
INSERT INTO domains VALUES
  (1, 42, '{1,NULL,3}', '{{1,2},{3,4}}', ROW(1, 'one', '{1}'), ARRAY[ROW(2, NULL, NULL)::inner_domain], '[1,2)', ARRAY['[1,2)', 'empty', '(,)']::range_domain[],
   ROW(ROW(1, 'a,b', '{1,2}')::inner_type, 3.14, ARRAY[ROW(1, '"', '{}')::inner_type, NULL, ROW(NULL, NULL, NULL)::inner_type], 'c', 'a b', '[1,3)'),
   ARRAY[ROW(ROW(1, E'\\ "x" \n', '{NULL}')::inner_type, -0.5, NULL, '', 'with "quotes"', 'empty')::"Outer type"]),
  (2, NULL, '{}', '{}', NULL, '{}', 'empty', '{}', ROW(NULL, NULL, NULL, NULL, NULL, NULL), '{}'),
  (3, NULL, NULL, NULL, ROW(NULL, NULL, NULL), NULL, NULL, NULL, NULL, NULL),
  (4, -1, '[0:1]={1,2}', '[5:6]={1,2}', ROW(NULL, '', '[2:2]={7}'), NULL, '(,1.50]', NULL, ROW(ROW(NULL, '', NULL)::inner_type, NULL, '{}', ' ', '', NULL), NULL);

-- Ranges of our own: over text, float8, an enum, a composite, an array.
CREATE TYPE textrange AS RANGE (subtype = text, collation = "C");
CREATE TYPE floatrange AS RANGE (subtype = float8, subtype_diff = float8mi);
CREATE TYPE moodrange AS RANGE (subtype = mood);
CREATE TYPE pair AS (x int, y text);
CREATE TYPE pairrange AS RANGE (subtype = pair);
CREATE TYPE listrange AS RANGE (subtype = _int4);
CREATE TABLE own_ranges (id int, t textrange, ta textrange[], f floatrange, m moodrange, p pairrange, l listrange);
INSERT INTO own_ranges VALUES
  (1, '[a,b)', ARRAY['["a b","c,d")', '("",z]', '(,"\\\"")', 'empty']::textrange[], '[0.1,1e10]', '[sad,happy]', pairrange(ROW(1, 'a b'), ROW(2, '"'), '[]'), listrange('{1,2}', '{3,NULL}', '()')),
  (2, textrange(repeat('a', 100), repeat('b', 3000)), '{}', '(-Infinity,NaN)', '(,"a b")', 'empty', '(,)'),
  (3, textrange('(]', '[)'), NULL, 'empty', 'empty', NULL, NULL),
  (4, textrange(E'\t', E'ü\n'), NULL, '(,)', NULL, pairrange(NULL, ROW(NULL, NULL)), NULL);
\if :v14
CREATE TABLE own_multiranges (id int, t textmultirange, f floatmultirange, m moodmultirange, p pairmultirange, a textmultirange[]);
INSERT INTO own_multiranges VALUES
  (1, '{[a,b),["c d","e,f"]}', '{[0.1,1e10],(1e11,)}', '{[sad,sad],["a b","a b"]}', pairmultirange(pairrange(ROW(1, 'a b'), ROW(2, '"')), pairrange(ROW(3, NULL), NULL)), ARRAY['{[a,b)}', '{}', NULL]::textmultirange[]),
  (2, textmultirange(textrange(repeat('a', 100), repeat('b', 3000)), textrange('c', NULL)), '{}', '{(,)}', '{}', '{}'),
  (3, NULL, NULL, NULL, NULL, NULL);
\endif

-- Columns: generated, identity, dropped at the start, middle and end, added with and without default.
CREATE TABLE generated (id int GENERATED BY DEFAULT AS IDENTITY, a int, g int GENERATED ALWAYS AS (a * 2) STORED, t text, u text GENERATED ALWAYS AS (upper(t) || '!') STORED, z int);
INSERT INTO generated (a, t, z) VALUES (1, 'x', 7), (NULL, NULL, 8), (-5, 'üß', NULL);
\if :v18
CREATE TABLE generated_virtual (id int GENERATED ALWAYS AS IDENTITY, a int, v int GENERATED ALWAYS AS (a * 2) VIRTUAL, t text, s int GENERATED ALWAYS AS (a + 1) STORED, w text GENERATED ALWAYS AS (t || '?'));
INSERT INTO generated_virtual (a, t) VALUES (1, 'x'), (NULL, NULL), (3, '');
\endif
CREATE TABLE dropped_columns (gone1 text, a int, gone2 int8, b text, gone3 numeric, gone4 bool, c int2, gone5 text);
INSERT INTO dropped_columns VALUES ('x', 1, 2, 'three', 4.5, true, 6, 'seven'), (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
ALTER TABLE dropped_columns DROP COLUMN gone1, DROP COLUMN gone2, DROP COLUMN gone3, DROP COLUMN gone4, DROP COLUMN gone5;
INSERT INTO dropped_columns VALUES (2, 'after', 7), (3, NULL, NULL), (NULL, NULL, 9);
CREATE TABLE dropped_all (a int, b text);
INSERT INTO dropped_all VALUES (1, 'x'), (2, NULL);
ALTER TABLE dropped_all DROP COLUMN a, DROP COLUMN b;
INSERT INTO dropped_all DEFAULT VALUES;
CREATE TABLE dropped_type (a int, m mood, e inner_type, z text);
INSERT INTO dropped_type VALUES (1, 'sad', ROW(1, 'x', '{1}'), 'end'), (2, NULL, NULL, 'end');
ALTER TABLE dropped_type DROP COLUMN m, DROP COLUMN e;
CREATE TABLE added_columns (id int, t text);
INSERT INTO added_columns VALUES (1, 'before'), (2, NULL);
ALTER TABLE added_columns ADD COLUMN n int, ADD COLUMN d int DEFAULT 42, ADD COLUMN v text DEFAULT 'a varlena default, with "quotes"', ADD COLUMN x text DEFAULT NULL;
INSERT INTO added_columns VALUES (3, 'between', 1, NULL, NULL, 'x'), (4, 'between', NULL, DEFAULT, DEFAULT, DEFAULT);
ALTER TABLE added_columns ADD COLUMN num numeric DEFAULT 1.50, ADD COLUMN arr int[] DEFAULT '{1,NULL,3}', ADD COLUMN nm name DEFAULT 'nm', ADD COLUMN u uuid DEFAULT 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
  ADD COLUMN c inner_type DEFAULT ROW(1, 'c', '{2}'), ADD COLUMN f float8 DEFAULT 0.1, ADD COLUMN b bool DEFAULT true, ADD COLUMN j jsonb DEFAULT '{"k": [1]}', ADD COLUMN long text DEFAULT repeat('long ', 2000), ADD COLUMN e mood DEFAULT 'glum';
INSERT INTO added_columns (id) VALUES (5);
UPDATE added_columns SET t = 'updated' WHERE id = 2;
ALTER TABLE added_columns DROP COLUMN d, ALTER COLUMN v SET DEFAULT 'another';
INSERT INTO added_columns (id) VALUES (6);
CREATE TABLE retyped (id int, a int, t text);
INSERT INTO retyped SELECT i, i, i::text FROM generate_series(1, 10) i;
ALTER TABLE retyped ALTER COLUMN a TYPE text USING a || ' was int', ALTER COLUMN t TYPE numeric(10,2) USING t::numeric;
INSERT INTO retyped VALUES (11, 'x', 1.5);

-- A column of a table's row type, the table changed after: rows with more and with fewer columns.
CREATE TABLE row_type (a int, gone text, b text);
CREATE TABLE holds_rows (id int, r row_type, ra row_type[]);
INSERT INTO holds_rows VALUES (1, ROW(1, 'gone', 'b'), ARRAY[ROW(1, 'gone', 'b')::row_type, NULL]);
ALTER TABLE row_type DROP COLUMN gone;
INSERT INTO holds_rows VALUES (2, ROW(2, 'b2'), ARRAY[ROW(2, NULL)::row_type]);
ALTER TABLE row_type ADD COLUMN c int8;
INSERT INTO holds_rows VALUES (3, ROW(3, 'b3', 33), ARRAY[ROW(3, NULL, 33)::row_type]), (4, ROW(NULL, NULL, NULL), NULL), (5, NULL, '{}');

-- Partitions: range, list, hash, default, one more level, columns in another order, a row moved.
CREATE TABLE by_range (id int, at date, t text) PARTITION BY RANGE (at);
CREATE TABLE by_range_2000 PARTITION OF by_range FOR VALUES FROM ('2000-01-01') TO ('2001-01-01');
CREATE TABLE by_range_2001 (extra int, t text, at date, id int);
ALTER TABLE by_range_2001 DROP COLUMN extra;
ALTER TABLE by_range ATTACH PARTITION by_range_2001 FOR VALUES FROM ('2001-01-01') TO ('2002-01-01');
CREATE TABLE by_range_rest PARTITION OF by_range DEFAULT PARTITION BY LIST (t);
CREATE TABLE by_range_rest_a PARTITION OF by_range_rest FOR VALUES IN ('a', 'b');
CREATE TABLE by_range_rest_null PARTITION OF by_range_rest FOR VALUES IN (NULL);
CREATE TABLE by_range_rest_hash PARTITION OF by_range_rest DEFAULT PARTITION BY HASH (id);
CREATE TABLE by_range_rest_hash0 PARTITION OF by_range_rest_hash FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE by_range_rest_hash1 PARTITION OF by_range_rest_hash FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO by_range SELECT i, date '1999-06-01' + i * 7, (ARRAY['a', 'b', NULL, 'c', 'd'])[1 + i % 5] FROM generate_series(1, 200) i;
UPDATE by_range SET at = '2001-05-05' WHERE id IN (40, 41);
CREATE INDEX ON by_range (id);
CREATE TABLE by_nothing (id int) PARTITION BY RANGE (id);

-- Inheritance: children with columns of their own, two parents.
CREATE TABLE parent (id int, t text);
CREATE TABLE child (extra numeric) INHERITS (parent);
CREATE TABLE other_parent (id int, o bool);
CREATE TABLE grandchild (g text[]) INHERITS (child, other_parent);
INSERT INTO parent VALUES (1, 'parent');
INSERT INTO child VALUES (2, 'child', 2.5);
INSERT INTO grandchild VALUES (3, 'grandchild', 3.5, true, '{x,y}');
ALTER TABLE parent ADD COLUMN later int DEFAULT 9;
INSERT INTO grandchild VALUES (4, 'grandchild', 3.5, true, '{x,y}', 10);

-- TOAST: every way to keep a value, of some 2 kB to some 2 MB.
CREATE TABLE toasted (id int, plain text, main text, ext text, extended text, b bytea, j jsonb, a text[], c inner_type);
ALTER TABLE toasted ALTER COLUMN plain SET STORAGE PLAIN, ALTER COLUMN main SET STORAGE MAIN, ALTER COLUMN ext SET STORAGE EXTERNAL;
CREATE FUNCTION noise(n int, seed text) RETURNS text LANGUAGE sql IMMUTABLE AS
  $$ SELECT string_agg(encode(sha512((seed || i)::bytea), 'base64'), '') FROM generate_series(1, n) i $$;
INSERT INTO toasted VALUES
  (1, repeat('p', 3000), repeat('main ', 1000), repeat('ext ', 1000), repeat('extended ', 1000), convert_to(repeat('bytes', 5000), 'UTF8'), to_jsonb(repeat('json', 5000)), ARRAY[repeat('arr', 3000), NULL, ''], ROW(1, repeat('comp', 3000), NULL)),
  (2, 'p', noise(50, 'main'), noise(50, 'ext'), noise(50, 'extended'), convert_to(noise(50, 'bytea'), 'UTF8'), to_jsonb(noise(50, 'jsonb')), ARRAY[noise(50, 'a'), noise(50, 'b')], ROW(2, noise(50, 'c'), '{1,2}')),
  (3, '', NULL, noise(12000, 'ext'), repeat(noise(10, 'r'), 1000), convert_to(noise(6000, 'bytea'), 'UTF8'), (SELECT jsonb_object_agg('key' || i, noise(1, i::text)) FROM generate_series(1, 3000) i), (SELECT array_agg(md5(i::text)) FROM generate_series(1, 20000) i), ROW(3, noise(1000, 'c'), (SELECT array_agg(i) FROM generate_series(1, 5000) i))),
  (4, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
  (5, NULL, repeat('x', 1996), repeat('x', 1997), repeat('x', 2032), '', '{}', '{}', NULL),
  (6, NULL, NULL, repeat('e', 1996), repeat('z', 20000000), convert_to(repeat(E'\\000', 100000), 'UTF8'), to_jsonb(ARRAY(SELECT i FROM generate_series(1, 50000) i)), NULL, NULL);
INSERT INTO toasted (id, ext, extended) SELECT 100 + i, repeat('q', 1990 + i), noise(25, 'n') || repeat('-', i) FROM generate_series(1, 40) i;
UPDATE toasted SET plain = 'updated, the rest kept' WHERE id IN (2, 3);
DELETE FROM toasted WHERE id = 105;
CREATE TABLE toasted_only_null (id int, t text);
INSERT INTO toasted_only_null SELECT i, NULL FROM generate_series(1, 20) i;
CREATE TABLE toasted_unused (id int, t text);
INSERT INTO toasted_unused VALUES (1, 'short'), (2, repeat('compressed in line ', 300));
\if :v14
CREATE TABLE compressed_pglz (id int, t text COMPRESSION pglz, j jsonb COMPRESSION pglz);
INSERT INTO compressed_pglz VALUES (1, repeat('pglz ', 1000), to_jsonb(repeat('pglz ', 1000))), (2, repeat(noise(10, 'p'), 100), NULL), (3, NULL, to_jsonb(repeat(noise(10, 'p'), 100)));
\if :lz4
CREATE TABLE compressed_lz4 (id int, t text COMPRESSION lz4, j jsonb COMPRESSION lz4, b bytea COMPRESSION lz4, a text[] COMPRESSION lz4);
INSERT INTO compressed_lz4 VALUES (1, repeat('lz4 ', 1000), to_jsonb(repeat('lz4 ', 1000)), convert_to(repeat('lz4 ', 1000), 'UTF8'), ARRAY[repeat('lz4 ', 1000)]),
  (2, repeat(noise(10, 'l'), 100), to_jsonb(repeat(noise(10, 'l'), 100)), convert_to(repeat(noise(10, 'l'), 100), 'UTF8'), (SELECT array_agg(i::text) FROM generate_series(1, 30000) i)),
  (3, repeat('big', 1000000), NULL, NULL, NULL);
CREATE TABLE compressed_both (id int, t text COMPRESSION pglz);
INSERT INTO compressed_both VALUES (1, repeat('pglz ', 1000)), (2, repeat(noise(10, 'p'), 100));
ALTER TABLE compressed_both ALTER COLUMN t SET COMPRESSION lz4;
INSERT INTO compressed_both VALUES (3, repeat('lz4 ', 1000)), (4, repeat(noise(10, 'p'), 100));
\endif
\endif

-- Widths: 1600 columns, none, one; rows with nulls alone; short rows.
SELECT format('CREATE TABLE wide (%s)', string_agg(format('c%s %s', i, (ARRAY['int2', 'bool', '"char"', 'int4'])[1 + i % 4]), ', ' ORDER BY i)) FROM generate_series(1, 1600) i \gexec
SELECT format('INSERT INTO wide VALUES (%s)', string_agg((ARRAY['7', 'true', '''x''', '-1'])[1 + i % 4], ', ' ORDER BY i)) FROM generate_series(1, 1600) i \gexec
SELECT format('INSERT INTO wide VALUES (%s)', string_agg(CASE WHEN i % 3 = 0 THEN 'NULL' ELSE (ARRAY['7', 'true', '''x''', '-1'])[1 + i % 4] END, ', ' ORDER BY i)) FROM generate_series(1, 1600) i \gexec
INSERT INTO wide DEFAULT VALUES;
INSERT INTO wide (c1600) VALUES (5);
INSERT INTO wide (c1) VALUES (true);
CREATE TABLE no_columns ();
INSERT INTO no_columns DEFAULT VALUES;
INSERT INTO no_columns DEFAULT VALUES;
INSERT INTO no_columns DEFAULT VALUES;
CREATE TABLE no_rows (id int, t text);
CREATE TABLE all_null (a int, b text, c numeric, d timestamptz, e int[], f jsonb, g name, h box, i "char");
INSERT INTO all_null SELECT NULL FROM generate_series(1, 10);
CREATE TABLE one_bool (b bool);
INSERT INTO one_bool VALUES (true), (false), (NULL);
CREATE TABLE one_text (t text);
INSERT INTO one_text VALUES (''), (NULL), ('\.'), ('\N'), ('"'), (' '), (E'\\.\n');
CREATE TABLE alignment (a "char", b int8, c "char", d int2, e "char", f int4, g bool, h float8, i "char", j text, k "char", l int8, m varchar, n box, o name, p text, q int2, r uuid, s macaddr, t timetz, u interval, v tid, w numeric, x point[]);
INSERT INTO alignment SELECT 'a', i, 'c', i, NULL, i, i % 2 = 0, i / 7.0, 'i', repeat('j', i), 'k', i, repeat('m', 200 - i), box(point(i, i), point(0, 0)), 'o' || i, repeat('p', 120 + i), i, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '08:00:2b:01:02:03', '12:00:00+01', '1 day', '(1,2)', i * 1.5, ARRAY[point(i, 1)] FROM generate_series(1, 20) i;

-- Names. The table names are made unique by their first letters only.
CREATE TABLE "quote""d" ("col""umn" int, "it's" text);
CREATE TABLE "do.ts" ("a.b" int);
CREATE TABLE "ünïcödé" ("spältë" int);
CREATE TABLE "日本語" ("列" int);
CREATE TABLE U&"new\000Aline" (U&"a\000Ab" int, U&"tab\0009" int);
CREATE TABLE "COPY" ("SELECT" int, "select" int, "NULL" text);
CREATE TABLE "copy" (i int);
CREATE TABLE "sl/ash" ("a/b" int);
CREATE TABLE "../up" (i int);
CREATE TABLE ".." (i int);
CREATE TABLE "back\slash" ("\" int, "\N" text);
CREATE TABLE " spaces " (" " int);
CREATE TABLE "-rf" ("--" int);
CREATE TABLE "%s%n" ("%d" int);
CREATE TABLE "com,ma" ("a,b" int, "c;d" text);
CREATE TABLE "con" (i int);
CREATE TABLE "$HOME" ("`id`" int);
CREATE TABLE n23456789012345678901234567890123456789012345678901234567890123 (c23456789012345678901234567890123456789012345678901234567890123 int);
CREATE TABLE "日日日日日日日日日日日日日日日日日日日日日" (i int);
CREATE SCHEMA "Sch/ema.""x";
CREATE TABLE "Sch/ema.""x"."do.ts" (i int);
INSERT INTO "quote""d" VALUES (1, 'x');
INSERT INTO "do.ts" VALUES (1);
INSERT INTO "ünïcödé" VALUES (1);
INSERT INTO "日本語" VALUES (1);
INSERT INTO U&"new\000Aline" VALUES (1, 2);
INSERT INTO "COPY" VALUES (1, 2, 'NULL');
INSERT INTO "copy" VALUES (2);
INSERT INTO "sl/ash" VALUES (1);
INSERT INTO "../up" VALUES (1);
INSERT INTO ".." VALUES (1);
INSERT INTO "back\slash" VALUES (1, '\N');
INSERT INTO " spaces " VALUES (1);
INSERT INTO "com,ma" VALUES (1, ',');
INSERT INTO "Sch/ema.""x"."do.ts" VALUES (2);
CREATE TABLE alltypes2.sample (other text, n int);
INSERT INTO alltypes2.sample VALUES ('same name, other schema', 1);

-- Kinds of relations.
CREATE UNLOGGED TABLE unlogged (id int, t text);
INSERT INTO unlogged SELECT i, 'unlogged ' || i FROM generate_series(1, 50) i;
CREATE MATERIALIZED VIEW mat AS SELECT type, count(*) AS n, array_agg(length(val) ORDER BY ord) AS lengths FROM sample GROUP BY type;
CREATE MATERIALIZED VIEW mat_empty AS SELECT * FROM sample WITH NO DATA;
CREATE VIEW a_view AS SELECT * FROM sample;
CREATE SEQUENCE a_sequence START 100 INCREMENT -5 MINVALUE -1000 MAXVALUE 1000 CYCLE;
SELECT nextval('a_sequence'), nextval('a_sequence') \g /dev/null
CREATE SEQUENCE unused_sequence AS int2;
CREATE TABLE of_type OF inner_type;
INSERT INTO of_type VALUES (1, 'typed', '{1}');
SELECT lo_from_bytea(910001, convert_to(repeat('large object ', 1000), 'UTF8')), lo_from_bytea(910002, ''), lo_from_bytea(910003, '\x00ff00') \g /dev/null
SELECT lo_put(910003, 10000, '\x616263') \g /dev/null
COMMENT ON LARGE OBJECT 910001 IS 'thirteen thousand bytes';

-- Versions of rows: HOT chains, updates off the page, deletes, aborts, subtransactions, locks.
CREATE TABLE versions (id int PRIMARY KEY, n int, t text) WITH (autovacuum_enabled = off);
CREATE INDEX ON versions (n);
INSERT INTO versions SELECT i, i, 'version one' FROM generate_series(1, 300) i;
UPDATE versions SET t = 'hot' WHERE id % 3 = 0;
UPDATE versions SET t = 'hot again' WHERE id % 6 = 0;
UPDATE versions SET n = -n WHERE id % 5 = 0;
UPDATE versions SET t = repeat('moved ', 100) WHERE id % 50 = 0;
DELETE FROM versions WHERE id % 7 = 0;
BEGIN;
INSERT INTO versions SELECT i, i, 'aborted' FROM generate_series(1000, 1050) i;
UPDATE versions SET t = 'aborted' WHERE id < 20;
DELETE FROM versions WHERE id > 290;
ROLLBACK;
BEGIN;
INSERT INTO versions VALUES (2000, 1, 'committed in the top transaction');
SAVEPOINT a;
INSERT INTO versions VALUES (2001, 1, 'aborted in a subtransaction');
UPDATE versions SET t = 'aborted in a subtransaction' WHERE id = 1;
ROLLBACK TO a;
SAVEPOINT b;
INSERT INTO versions VALUES (2002, 1, 'committed in a subtransaction');
UPDATE versions SET t = 'committed in a subtransaction' WHERE id = 2;
RELEASE b;
COMMIT;
INSERT INTO versions VALUES (1, 0, 'conflict'), (3000, 0, 'no conflict') ON CONFLICT (id) DO UPDATE SET n = 99;
CREATE TABLE vacuumed (id int, t text) WITH (autovacuum_enabled = off);
INSERT INTO vacuumed SELECT i, repeat('v', i % 100) FROM generate_series(1, 2000) i;
DELETE FROM vacuumed WHERE id % 2 = 0;
VACUUM vacuumed;
INSERT INTO vacuumed SELECT i, 'reused' FROM generate_series(3000, 3100) i;
DELETE FROM vacuumed WHERE id BETWEEN 500 AND 600;
CREATE TABLE frozen (id int, t text);
INSERT INTO frozen SELECT i, 'frozen ' || i FROM generate_series(1, 100) i;
VACUUM FREEZE frozen;
DELETE FROM frozen WHERE id < 5;
CREATE TABLE rewritten (id int, t text);
INSERT INTO rewritten SELECT i, noise(40, i::text) FROM generate_series(1, 20) i;
DELETE FROM rewritten WHERE id % 2 = 0;
VACUUM FULL rewritten;
CREATE TABLE truncated (id int);
INSERT INTO truncated VALUES (1);
TRUNCATE truncated;
INSERT INTO truncated VALUES (2);
CREATE TABLE locked (id int PRIMARY KEY, n int) WITH (autovacuum_enabled = off);
INSERT INTO locked SELECT i, i FROM generate_series(1, 20) i;
BEGIN; SELECT FROM locked WHERE id = 1 FOR UPDATE \g /dev/null
COMMIT;
BEGIN; SELECT FROM locked WHERE id = 2 FOR KEY SHARE \g /dev/null
SAVEPOINT s; UPDATE locked SET n = 200 WHERE id = 2; COMMIT;
BEGIN; SELECT FROM locked WHERE id = 3 FOR SHARE \g /dev/null
SAVEPOINT s; UPDATE locked SET n = 300 WHERE id = 3; ROLLBACK TO s; COMMIT;
BEGIN; SELECT FROM locked WHERE id = 4 FOR KEY SHARE \g /dev/null
SAVEPOINT s; SELECT FROM locked WHERE id = 4 FOR SHARE \g /dev/null
COMMIT;
BEGIN; SELECT FROM locked WHERE id = 5 FOR KEY SHARE \g /dev/null
SAVEPOINT s; UPDATE locked SET n = 500 WHERE id = 5; ROLLBACK;
BEGIN; SELECT FROM locked WHERE id = 6 FOR KEY SHARE \g /dev/null
SAVEPOINT s; DELETE FROM locked WHERE id = 6; COMMIT;
BEGIN; SELECT FROM locked WHERE id = 7 FOR KEY SHARE \g /dev/null
SAVEPOINT s; DELETE FROM locked WHERE id = 7; ROLLBACK TO s; COMMIT;

-- Storage parameters, many pages, another tablespace.
CREATE TABLE many_pages (id int, t text, n numeric) WITH (fillfactor = 70);
INSERT INTO many_pages SELECT i, md5(i::text), i / 7.0 FROM generate_series(1, 20000) i;
UPDATE many_pages SET t = t || '!' WHERE id % 100 = 0;
\if :v15
\if :spaced
\else
SET allow_in_place_tablespaces = on;
CREATE TABLESPACE alltypes_space LOCATION '';
\endif
CREATE TABLE elsewhere (id int, t text) TABLESPACE alltypes_space;
INSERT INTO elsewhere SELECT i, noise(40, i::text) FROM generate_series(1, 5) i;
\endif

-- Left open: rows that a prepared transaction inserted, deleted and locked.
CREATE TABLE in_doubt (id int PRIMARY KEY, t text) WITH (autovacuum_enabled = off);
INSERT INTO in_doubt SELECT i, 'committed' FROM generate_series(1, 5) i;
\if :twophase
SELECT 'alltypes in ' || current_database() AS gid \gset
BEGIN;
INSERT INTO in_doubt VALUES (6, 'prepared');
UPDATE in_doubt SET t = 'prepared' WHERE id = 1;
DELETE FROM in_doubt WHERE id = 2;
SELECT FROM in_doubt WHERE id IN (3, 4) FOR KEY SHARE \g /dev/null
PREPARE TRANSACTION :'gid';
SELECT FROM in_doubt WHERE id = 4 FOR KEY SHARE \g /dev/null
\endif

-- A built-in type without a column of it fails the script. Left out on purpose: the types of
-- which a server makes no value that lasts.
SELECT string_agg(t.typname, ', ') AS missing FROM pg_type t
WHERE t.typnamespace = 'pg_catalog'::regnamespace AND t.typtype IN ('b', 'r', 'm') AND NOT (t.typelem <> 0 AND t.typcategory = 'A' AND t.typlen = -1 AND t.typname LIKE '\_%')
  AND NOT EXISTS (SELECT FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid WHERE c.relnamespace = 'alltypes'::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND a.atttypid = t.oid) \gset
\if :{?missing}
\echo 'alltypes.sql has no column of type' :missing
SELECT 1 / 0;
\endif
CHECKPOINT;
