package data

import (
	"strings"
	"unicode"
)

// unitsRow is the row below the header when it holds units, else nil: a row without any number, in
// which at least one unit stands over a column of numbers, and plain words over no other.
func (b *builder) unitsRow() record {
	if len(b.rows) == 0 || b.opt.Units == UnitsNo {
		return nil
	}
	row := b.rows[0]
	if b.opt.Units == UnitsYes {
		return row
	}
	over := false
	for j, f := range row {
		switch below := b.numberBelow(j); {
		case f.text == "" || f.text == "-":
		case bracketed(f.text):
			over = over || below
		case !below || b.missing(f) || !unitWord(f.text):
			return nil
		default:
			over = true
		}
	}
	if !over {
		return nil
	}
	return row
}

// numberBelow says whether the first value of column j below the second line is a number.
func (b *builder) numberBelow(j int) bool {
	for _, r := range b.rows[1:] {
		if !b.missing(r[j]) {
			_, ok := b.number(r[j].text)
			ok = ok || b.comma(r[j].text)
			return ok
		}
	}
	return false
}

// unitWord says whether a text could be a unit: year, mg/L, 1/h, m^2, °C. A number and a word for
// a missing value could not.
func unitWord(s string) bool {
	if _, ok := number(s); ok {
		return false
	}
	switch strings.ToLower(s) {
	case "na", "n/a", "null", "none", "missing", "unknown":
		return false
	}
	letter := false
	for _, r := range s {
		switch {
		case unicode.IsLetter(r) || r == '%' || r == '°':
			letter = true
		case !unicode.IsDigit(r) && !strings.ContainsRune("*/^.·()- ²³⁻¹", r):
			return false
		}
	}
	return letter
}

func bracketed(s string) bool {
	return len(s) >= 2 && (s[0] == '[' && s[len(s)-1] == ']' || s[0] == '(' && s[len(s)-1] == ')')
}

// unitText is a unit without its brackets; a dash and 1 are no unit.
func unitText(s string) string {
	if bracketed(s) {
		s = strings.TrimSpace(s[1 : len(s)-1])
	}
	if s == "-" || s == "1" {
		return ""
	}
	return s
}
