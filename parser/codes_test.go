package parser

import (
	"strings"
	"testing"

	"github.com/udl-lang/udl/lang/diag"
)

// Every code of text and syntax has an example that gives exactly this code at the marked place.
func TestCodesHaveExamples(t *testing.T) {
	for _, r := range diag.Codes() {
		if !strings.HasPrefix(string(r.Code), "E01") {
			continue
		}
		if r.Title == "" || r.Explanation == "" || !strings.Contains(r.Example, "#!") {
			t.Errorf("%s: title, explanation and a marked example are wanted", r.Code)
		}
		expectErrors(t, string(r.Code), r.Example, r.Code)
	}
}
