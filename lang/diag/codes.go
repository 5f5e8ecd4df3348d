package diag

import "slices"

// Row explains one code. Example is a text that gives exactly this code: a comment
// `#! "text"` at the end of the failing line (or on a line of its own right below it)
// repeats the text under the caret. Codes whose failure needs more than a text (a solve,
// a data file) may show a call with the marker, or leave the example empty.
type Row struct {
	Code        Code
	Title       string // what is wrong, in a few words
	Explanation string // why it is an error, and how to mend it
	Example     string
}

// Codes is the table of all codes, ordered by code. One list per area stands in a file of
// its own: E01xx text and syntax, E02xx and E03xx meaning of models, E05xx solving and
// training, E06xx data, E07xx scripts, E08xx discovery.
func Codes() []Row {
	all := slices.Concat(syntaxCodes, checkCodes, runtimeCodes, dataCodes, scriptCodes, discoverCodes)
	slices.SortStableFunc(all, func(a, b Row) int {
		switch {
		case a.Code < b.Code:
			return -1
		case a.Code > b.Code:
			return 1
		}
		return 0
	})
	return all
}

// Explain finds the row of a code.
func Explain(c Code) (Row, bool) {
	for _, area := range [][]Row{syntaxCodes, checkCodes, runtimeCodes, dataCodes, scriptCodes, discoverCodes} {
		for _, r := range area {
			if r.Code == c {
				return r, true
			}
		}
	}
	return Row{}, false
}
