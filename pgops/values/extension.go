package values

// extensionCodec returns the codec of an output function that an extension brings, else nil.
// An extension of another origin may use the same name; its values then fail the checks.
func extensionCodec(output string) codec {
	switch output {
	case "citextout": // citext is a text (contrib/citext)
		return textOut
	case "hstore_out":
		return hstoreOut
	case "ltree_out":
		return ltreeOut
	case "lquery_out":
		return lqueryOut
	case "cube_out":
		return cubeOut
	case "geometry_out", "geography_out":
		return geometryOut
	case "vector_out":
		return vectorOut
	case "halfvec_out":
		return halfvecOut
	case "sparsevec_out":
		return sparsevecOut
	}
	return nil
}
