package catalog

import "strings"

// keywords are the words that an identifier must not be without quotes: all but the
// unreserved ones (PG_KEYWORD, parser/kwlist.h), of 13 to 15.
const keywords = ` all analyse analyze and any array as asc asymmetric authorization between bigint binary bit boolean both case cast char character check coalesce collate collation column concurrently constraint create cross current_catalog current_date current_role current_schema current_time current_timestamp current_user dec decimal default deferrable desc distinct do else end except exists extract false fetch float for foreign freeze from full grant greatest group grouping having ilike in initially inner inout int integer intersect interval into is isnull join lateral leading least left like limit localtime localtimestamp national natural nchar none normalize not notnull null nullif numeric offset on only or order out outer overlaps overlay placing position precision primary real references returning right row select session_user setof similar smallint some substring symmetric table tablesample then time timestamp to trailing treat trim true union unique user using values varchar variadic verbose when where window with xmlattributes xmlconcat xmlelement xmlexists xmlforest xmlnamespaces xmlparse xmlpi xmlroot xmlserialize xmltable `

// Words that later majors added.
const (
	keywords16 = ` json_array json_arrayagg json_object json_objectagg system_user `
	keywords17 = ` json json_exists json_query json_scalar json_serialize json_table json_value merge_action `
)

// QuoteIdentifier writes a name as SQL of the major wants it, with quotes only where needed
// (quote_identifier, utils/adt/ruleutils.c).
func QuoteIdentifier(name string, major int) string {
	safe := name != "" && (name[0] < '0' || name[0] > '9')
	for i := 0; i < len(name) && safe; i++ {
		c := name[i]
		safe = c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '_'
	}
	if safe && !isKeyword(name, major) {
		return name
	}
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}

func isKeyword(name string, major int) bool {
	word := " " + name + " "
	return strings.Contains(keywords, word) || major >= 16 && strings.Contains(keywords16, word) ||
		major >= 17 && strings.Contains(keywords17, word)
}

// quoteQualified joins schema and name; an empty schema is left out.
func quoteQualified(schema, name string, major int) string {
	if schema == "" {
		return QuoteIdentifier(name, major)
	}
	return QuoteIdentifier(schema, major) + "." + QuoteIdentifier(name, major)
}
