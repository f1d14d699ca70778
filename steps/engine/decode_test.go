package engine_test

import (
	"encoding/json"

	"github.com/pgrescue/pgrescue/steps/engine"
)

// decode reads an event's data; the zero value where it has another form.
func decode[T any](e engine.Event) T {
	var v T
	if json.Unmarshal(e.Data, &v) != nil {
		var none T
		return none
	}
	return v
}
