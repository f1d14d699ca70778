-- Random values of types that hold other values, and of contrib's types, in the schema compound.
\set ON_ERROR_STOP on
\set QUIET on
SET client_min_messages = error;
SELECT current_setting('server_version_num')::int >= 140000 AS v14, current_setting('server_version_num')::int >= 170000 AS v17 \gset
CREATE SCHEMA compound;
CREATE EXTENSION hstore SCHEMA public;
CREATE EXTENSION ltree SCHEMA public;
CREATE EXTENSION cube SCHEMA public;
CREATE EXTENSION citext SCHEMA public;
SET search_path = compound, public;
SELECT setseed(0.25) \g /dev/null

-- random_word makes strings with everything that needs quotes somewhere.
CREATE FUNCTION random_word() RETURNS text LANGUAGE plpgsql AS $$
DECLARE s text := ''; c text[] := ARRAY['a', 'b', 'Z', '0', ' ', '"', '\', ',', '{', '}', '(', ')', '[', ']', '''', ':', ';', E'\n', E'\t', 'é', '日', '😀', E'\x01', '|', '&', '!', '<', '=', '>', '.', '/', E'\x7f', 'null', '_'];
BEGIN
  FOR i IN 1..floor(random() * 12)::int LOOP s := s || c[1 + floor(random() * array_length(c, 1))::int]; END LOOP;
  RETURN s;
END $$;
CREATE FUNCTION random_numeric() RETURNS numeric LANGUAGE sql AS
  $$ SELECT CASE floor(random() * 4)::int WHEN 0 THEN floor(random() * 1000)::numeric WHEN 1 THEN (random() * 1e6 - 5e5)::numeric(20,5) WHEN 2 THEN (random()::numeric * 10::numeric ^ floor(random() * 60 - 30)::int)::numeric ELSE -floor(random() * 1e15)::numeric END $$;
CREATE FUNCTION random_json(depth int) RETURNS json LANGUAGE plpgsql AS $$
DECLARE r text := ''; k int := floor(random() * CASE WHEN depth = 4 THEN 60 ELSE 6 END)::int;
BEGIN
  CASE floor(random() * CASE WHEN depth > 0 THEN 8 ELSE 5 END)::int
  WHEN 0 THEN RETURN 'null';
  WHEN 1 THEN RETURN to_json(random() < 0.5);
  WHEN 2 THEN RETURN to_json(random_numeric());
  WHEN 3, 4 THEN RETURN to_json(random_word());
  WHEN 5 THEN
    FOR i IN 1..k LOOP r := r || CASE WHEN i > 1 THEN ',' ELSE '' END || random_json(depth - 1); END LOOP;
    RETURN ('[' || r || ']')::json;
  ELSE
    FOR i IN 1..k LOOP r := r || CASE WHEN i > 1 THEN ',' ELSE '' END || to_json(random_word()) || ':' || random_json(depth - 1); END LOOP;
    RETURN ('{' || r || '}')::json;
  END CASE;
END $$;
CREATE TABLE documents AS SELECT i AS id, random_json(1 + i % 4)::jsonb AS d FROM generate_series(1, 800) i;
INSERT INTO documents SELECT -1, (SELECT jsonb_agg(i) FROM generate_series(1, 300) i);
INSERT INTO documents SELECT -2, (SELECT jsonb_object_agg('k' || i, CASE WHEN i % 3 = 0 THEN to_jsonb(i) ELSE to_jsonb(repeat('v', i)) END) FROM generate_series(1, 300) i);
INSERT INTO documents SELECT -3, (repeat('[', 1000) || repeat(']', 1000))::jsonb;
INSERT INTO documents SELECT -4, (repeat('{"a":', 1000) || '1' || repeat('}', 1000))::jsonb;

-- random_array gives a literal of up to 6 dimensions with bounds of any sort.
CREATE FUNCTION random_array(kind text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE d int := 1 + floor(random() * random() * 6)::int; dims int[] := '{}'; n int := 1; b text := ''; r text := ''; k int; e text;
BEGIN
  IF random() < 0.05 THEN RETURN '{}'; END IF;
  FOR i IN 1..d LOOP
    dims := dims || (1 + floor(random() * CASE WHEN d = 1 THEN 40 ELSE 3 END)::int);
    k := CASE WHEN random() < 0.8 THEN 1 ELSE floor(random() * 10 - 5)::int END;
    b := b || '[' || k || ':' || k + dims[i] - 1 || ']';
    n := n * dims[i];
  END LOOP;
  FOR j IN 0..n - 1 LOOP
    k := 1;
    IF j > 0 THEN r := r || ','; END IF;
    FOR i IN REVERSE d..1 LOOP k := k * dims[i]; IF j % k = 0 THEN r := r || '{'; END IF; END LOOP;
    e := CASE WHEN random() < 0.2 THEN NULL WHEN kind = 'text' THEN random_word() WHEN kind = 'int' THEN floor(random() * 1000)::text WHEN kind = 'num' THEN random_numeric()::text ELSE (random() < 0.5)::text END;
    r := r || coalesce('"' || replace(replace(e, '\', '\\'), '"', '\"') || '"', 'NULL');
    k := 1;
    FOR i IN REVERSE d..1 LOOP k := k * dims[i]; IF (j + 1) % k = 0 THEN r := r || '}'; END IF; END LOOP;
  END LOOP;
  RETURN b || '=' || r;
END $$;
CREATE TABLE arrays AS SELECT i AS id, random_array('text')::text[] AS t, random_array('int')::int[] AS i, random_array('int')::int8[] AS l, random_array('int')::int2[] AS s, random_array('num')::numeric[] AS n, random_array('bool')::bool[] AS b, random_array('num')::float8[] AS f, random_array('text')::name[] AS m
  FROM generate_series(1, 300) i;
CREATE TYPE leaf AS (t text, n numeric, b bool, a text[], l int8);
CREATE TYPE branch AS (x leaf, "odd, name" leaf[], j jsonb, r numrange);
CREATE TABLE records AS SELECT i AS id,
  ROW(CASE WHEN random() < 0.8 THEN random_word() END, CASE WHEN random() < 0.8 THEN random_numeric() END, CASE WHEN random() < 0.8 THEN random() < 0.5 END, random_array('text')::text[], i)::leaf AS l,
  ROW(ROW(random_word(), random_numeric(), NULL, random_array('text')::text[], NULL)::leaf,
    CASE WHEN random() < 0.9 THEN ARRAY[ROW(random_word(), NULL, true, NULL, 5)::leaf, NULL, ROW(NULL, random_numeric(), NULL, random_array('text')::text[], NULL)::leaf] END,
    random_json(2), numrange(least(i, random_numeric()), greatest(i, 1e9 + random_numeric())))::branch AS b
  FROM generate_series(1, 300) i;
INSERT INTO records VALUES (-1, ROW(repeat('compressed ', 1000), 1, true, ARRAY[repeat('long ', 1000)], 1), NULL);
CREATE TYPE wordrange AS RANGE (subtype = text, collation = "C");
CREATE FUNCTION random_words(OUT a text, OUT b text) LANGUAGE sql AS $$ SELECT min(w COLLATE "C"), max(w COLLATE "C") FROM (VALUES (random_word()), (random_word())) v(w) $$;
CREATE TABLE ranges AS SELECT i AS id, wordrange(CASE WHEN random() < 0.9 THEN (w).a END, CASE WHEN random() < 0.9 THEN (w).b END, (ARRAY['[]', '[)', '(]', '()'])[1 + i % 4]) AS w,
  int4range(CASE WHEN random() < 0.9 THEN floor(random() * 10)::int END, CASE WHEN random() < 0.9 THEN 9 + floor(random() * 10)::int END, (ARRAY['[]', '[)', '(]', '()'])[1 + i % 4]) AS i,
  numrange(least(a, b), greatest(a, b), (ARRAY['[]', '[)', '(]', '()'])[1 + i % 4]) AS n,
  tsrange(timestamp '2000-01-01' + random() * interval '10 years', timestamp '2020-01-01' + random() * interval '10 years') AS t,
  ARRAY[wordrange((w).a, NULL), NULL, wordrange(NULL, (w).b, '(]')] AS a
  FROM (SELECT g AS i, random_words() AS w, random_numeric() AS a, random_numeric() AS b FROM generate_series(1, 300) g OFFSET 0) s;
\if :v14
CREATE TABLE multiranges AS SELECT i AS id, (SELECT coalesce(range_agg(int4range(k * 10, k * 10 + 5)), '{}') FROM generate_series(1, i % 40) k) AS i,
  (SELECT coalesce(range_agg(numrange(k, k + random()::numeric)), '{}') FROM generate_series(1, i % 13) k) AS n,
  (SELECT coalesce(range_agg(int8range(k * 10, k * 10 + 5)), '{}') FROM generate_series(1, i % 9) k) AS l,
  (SELECT coalesce(range_agg(wordrange(lpad(k::text, 3, '0'), lpad(k::text, 3, '0') || random_word(), '[]')), '{}') FROM generate_series(1, i % 17) k) AS w
  FROM generate_series(1, 200) i;
INSERT INTO multiranges VALUES (-1, '{(,)}', '{(,1),(2,)}', '{(,)}', '{(,a),[b,)}');
\endif

-- Text search: queries are built as trees.
CREATE FUNCTION random_lexeme() RETURNS text LANGUAGE sql AS $$ SELECT '''' || replace(replace(CASE WHEN w = '' THEN 'x' ELSE w END, '\', '\\'), '''', '''''') || '''' FROM (SELECT random_word() AS w OFFSET 0) s $$;
CREATE FUNCTION random_query(depth int) RETURNS text LANGUAGE plpgsql AS $$ BEGIN
  CASE floor(random() * CASE WHEN depth > 0 THEN 6 ELSE 2 END)::int
  WHEN 0 THEN RETURN random_lexeme();
  WHEN 1 THEN RETURN random_lexeme() || (ARRAY['', ':*', ':A', ':*BD', ':ABCD'])[1 + floor(random() * 5)::int];
  WHEN 2 THEN RETURN '!(' || random_query(depth - 1) || ')';
  ELSE RETURN '(' || random_query(depth - 1) || ')' || (ARRAY['&', '|', '<->', '<7>', '<0>'])[1 + floor(random() * 5)::int] || '(' || random_query(depth - 1) || ')';
  END CASE;
END $$;
CREATE TABLE searches AS SELECT i AS id, random_query(5)::tsquery AS q FROM generate_series(1, 300) i;
CREATE TABLE lexemes AS SELECT i AS id, (SELECT string_agg(random_lexeme() || (ARRAY['', ':' || j, ':' || j || 'A,' || j + 3 || 'B', ':16383C'])[1 + (i + j) % 4], ' ') FROM generate_series(1, i % 20) j)::tsvector AS v,
  to_tsvector('english', random_word() || ' the quick brown foxes jumped over ' || random_word()) AS e FROM generate_series(1, 300) i;

-- jsonpath: expressions and predicates are built as trees.
CREATE FUNCTION random_path(depth int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE k text := to_json(random_word());
BEGIN
  CASE floor(random() * CASE WHEN depth > 0 THEN 22 ELSE 5 END)::int
  WHEN 0 THEN RETURN '$'; WHEN 1 THEN RETURN '$.' || k; WHEN 2 THEN RETURN '$' || k; WHEN 3 THEN RETURN '(' || abs(random_numeric()) || ')';
  WHEN 4 THEN RETURN '$.*.a';
  WHEN 5, 6, 7 THEN RETURN '(' || random_path(depth - 1) || (ARRAY[' + ', ' - ', ' * ', ' / ', ' % '])[1 + floor(random() * 5)::int] || random_path(depth - 1) || ')';
  WHEN 8 THEN RETURN '(-' || random_path(depth - 1) || ')'; WHEN 9 THEN RETURN '(+' || random_path(depth - 1) || ')';
  WHEN 10 THEN RETURN random_path(depth - 1) || '.' || k; WHEN 11 THEN RETURN random_path(depth - 1) || '[*]';
  WHEN 12 THEN RETURN random_path(depth - 1) || '[' || random_path(depth - 1) || ' to last, 3]'; WHEN 13 THEN RETURN random_path(depth - 1) || '.**{1 to 3}';
  WHEN 14, 15, 16 THEN RETURN random_path(depth - 1) || ' ? (' || random_predicate(depth - 1) || ')';
  WHEN 17 THEN RETURN random_path(depth - 1) || '.size().abs()'; WHEN 18 THEN RETURN random_path(depth - 1) || '.datetime()';
  WHEN 19 THEN RETURN random_path(depth - 1) || '.datetime(' || k || ')'; WHEN 20 THEN RETURN random_path(depth - 1) || '.**{last}'; ELSE RETURN random_path(depth - 1) || '.**';
  END CASE;
END $$;
CREATE FUNCTION random_predicate(depth int) RETURNS text LANGUAGE plpgsql AS $$ BEGIN
  CASE floor(random() * CASE WHEN depth > 0 THEN 9 ELSE 3 END)::int
  WHEN 0 THEN RETURN '@.a == ' || to_json(random_word()); WHEN 1 THEN RETURN random_path(depth - 1) || (ARRAY[' < ', ' > ', ' <= ', ' >= ', ' != ', ' == '])[1 + floor(random() * 6)::int] || '@.b'; WHEN 2 THEN RETURN '@ == null';
  WHEN 3 THEN RETURN '(' || random_predicate(depth - 1) || ') && (' || random_predicate(depth - 1) || ')'; WHEN 4 THEN RETURN '(' || random_predicate(depth - 1) || ') || (' || random_predicate(depth - 1) || ')';
  WHEN 5 THEN RETURN '!(' || random_predicate(depth - 1) || ')'; WHEN 6 THEN RETURN '(' || random_predicate(depth - 1) || ') is unknown';
  WHEN 7 THEN RETURN 'exists(' || random_path(depth - 1) || ')'; ELSE RETURN '@.c starts with "x" || @.d like_regex "^(a|b)" flag "' || (ARRAY['i', 's', 'm', 'q', 'ismq'])[1 + floor(random() * 5)::int] || '"';
  END CASE;
END $$;
CREATE TABLE paths AS SELECT i AS id, (CASE WHEN i % 2 = 0 THEN 'strict ' ELSE '' END || CASE WHEN i % 5 = 0 THEN replace(random_predicate(5), '@', '$') ELSE random_path(5) END)::jsonpath AS p FROM generate_series(1, 400) i;
INSERT INTO paths VALUES (-1, '(1).type()'), (-2, '(1.50).type().size()'), (-3, '(-1.5).type()'), (-4, '(-1).abs()'), (-5, '"a".type()'), (-6, 'true.type()'), (-7, 'null.type()'), (-8, '$.a[1 to $.b, last - 1].**.**{2}.**{2 to last}');

-- Types of contrib.
CREATE TABLE hstores AS SELECT i AS id, (SELECT coalesce(hstore(array_agg('k' || j || random_word()), array_agg(CASE WHEN j % 4 > 0 THEN random_word() END)), '') FROM generate_series(1, i % 15) j) AS h,
  ARRAY[hstore(random_word(), random_word()), NULL, hstore('a', NULL)] AS a FROM generate_series(1, 200) i;
CREATE TABLE ltrees AS SELECT i AS id, (SELECT coalesce(string_agg(repeat('l', j) || i, '.'), '') FROM generate_series(1, i % 12) j)::ltree AS l FROM generate_series(1, 100) i;
CREATE TABLE lqueries AS SELECT row_number() OVER () AS id, q::lquery AS q FROM unnest(ARRAY['*', '*.a.*', 'a.b', 'a|b|c.*', '!a.b', '*{2}.a', '*{2,}', '*{,3}', '*{2,3}.foo@*%|bar*', 'a{1,}', 'a{,}', 'a{2}', 'abcdefgh|x.y', '!a|b{3,5}', '*{0}']) q;
CREATE TABLE cubes AS SELECT i AS id, cube(array_agg(k * 1.5), array_agg(k * random())) AS c, cube(array_agg(k / 7.0)) AS p FROM generate_series(1, 40) i, generate_series(1, 1 + i % 7) k GROUP BY i;
INSERT INTO cubes VALUES (-1, '(1,2),(1,2)', '(0)'), (-2, '(-0),(0)', '()'), (-3, '(NaN),(NaN)', '(Infinity, -1e-300)');
CREATE TABLE citexts AS SELECT i AS id, random_word()::citext AS c, ARRAY[random_word()::citext] AS a FROM generate_series(1, 50) i;
CHECKPOINT;
