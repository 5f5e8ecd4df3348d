package data

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/udl-lang/udl/lang/diag"
)

// Units says whether a row of units stands below the header.
type Units int

// The choices for the row of units.
const (
	UnitsAuto Units = iota // when the row below the header holds words over columns of numbers
	UnitsYes
	UnitsNo
)

// Options say how a file is to be read; the zero value finds out.
type Options struct {
	Delimiter byte     // 0: comma, semicolon or tab, whichever fits
	Missing   []string // further words for a missing cell, beside the empty one and NA
	Text      []string // columns that are texts even where they look like numbers
	Units     Units
	Decimal   byte  // what stands for the decimal point: '.' (or 0) or ','
	MaxBytes  int64 // limit on the size of the file; none when 0
}

// ReadCSV reads a table with a header row.
//
// Cells are separated by comma, semicolon or tab, may be quoted, and blanks around them do not
// count. Lines that begin with # and blank lines are skipped; a byte order mark and any line
// ends are accepted. A cell that is empty or says NA is missing: its value is NaN. A column in
// which some cell is a number is a column of numbers, and each other cell of it must be one
// too; a column without any is kept as texts. Below the header a row of units may stand,
// `[year], [1]` or `year, mg/L`. A column without a name that is empty throughout is dropped (a delimiter at the ends
// of lines makes one), any other is called column1, column2, … by its place.
//
// A column in which every number has a comma for its point is refused unless Options say that this is meant.
//
// Errors are diagnostics E0600 to E0611 at the cell, with one way to mend it.
func ReadCSV(r io.Reader, name string, opt Options) (*Table, error) {
	text, d := read(r, name, opt.MaxBytes)
	if d != nil {
		return nil, d
	}
	src := diag.NewSource(name, text)
	if opt.Delimiter == 0 {
		opt.Delimiter = sniff(src, opt.Decimal)
	}
	recs, d := split(src, opt.Delimiter)
	if d != nil {
		return nil, d
	}
	if len(recs) == 0 {
		return nil, diag.New("E0601", diag.Span{}, "`%s` is empty", name).WithHelp("it needs a line of column names and lines of numbers")
	}
	b := &builder{opt: opt, src: src, head: recs[0], rows: recs[1:]}
	t, d := b.table(name)
	if d != nil {
		return nil, d
	}
	return t, nil
}

// read takes in a text: UTF-8, a byte order mark removed.
func read(r io.Reader, name string, limit int64) (string, *diag.Diagnostic) {
	if limit > 0 {
		r = io.LimitReader(r, limit+1)
	}
	raw, err := io.ReadAll(r)
	if err != nil {
		var pe *fs.PathError
		if errors.As(err, &pe) {
			err = pe.Err
		}
		return "", diag.New("E0600", diag.Span{}, "cannot read `%s`: %v", name, err).Because(err)
	}
	if limit > 0 && int64(len(raw)) > limit {
		return "", diag.New("E0600", diag.Span{}, "cannot read `%s`: it is larger than the limit of %d bytes", name, limit)
	}
	raw = bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf"))
	if bytes.HasPrefix(raw, []byte{0xff, 0xfe}) || bytes.HasPrefix(raw, []byte{0xfe, 0xff}) {
		return "", diag.New("E0610", diag.Span{}, "`%s` is UTF-16, not UTF-8", name).WithHelp("save it as UTF-8 (\"CSV UTF-8\" in Excel)")
	}
	if i := bytes.IndexByte(raw, 0); i >= 0 {
		return "", diag.New("E0610", diag.Span{}, "`%s` is not a text: byte %d is zero", name, i+1).WithHelp("export the table as CSV")
	}
	if !utf8.Valid(raw) {
		i := 0
		for i < len(raw) {
			c, n := utf8.DecodeRune(raw[i:])
			if c == utf8.RuneError && n == 1 {
				break
			}
			i += n
		}
		line := 1 + bytes.Count(raw[:i], []byte("\n"))
		return "", diag.New("E0610", diag.Span{}, "`%s` is not UTF-8: byte 0x%02x on line %d", name, raw[i], line).WithHelp("save it as UTF-8")
	}
	return string(raw), nil
}

// builder makes a table of records.
type builder struct {
	opt  Options
	src  *diag.Source
	head record
	rows []record
}

func (b *builder) table(name string) (*Table, *diag.Diagnostic) {
	if d := b.checkHeader(); d != nil {
		return nil, d
	}
	for _, r := range b.rows {
		if d := b.checkWidth(r); d != nil {
			return nil, d
		}
	}
	units := b.unitsRow()
	if units != nil {
		b.rows = b.rows[1:]
	}
	if len(b.rows) == 0 {
		last := b.head
		if units != nil {
			last = units
		}
		return nil, diag.New("E0611", whole(last), "`%s` has no row of data", name).At("nothing follows").WithHelp("put at least one row below")
	}
	t := &Table{Name: name, Rows: len(b.rows), src: b.src}
	var kept []int
	for j, h := range b.head {
		if h.text == "" && b.empty(j) {
			continue
		}
		kept = append(kept, j)
		c := Column{Name: h.text, head: h.span}
		if c.Name == "" {
			c.Name = fmt.Sprintf("column%d", j+1)
		}
		for i := range t.Columns {
			if t.Columns[i].Name == c.Name {
				return nil, diag.New("E0603", h.span, "two columns are called `%s`", c.Name).At("again here").
					And(t.Columns[i].head, "first here").WithHelp("give each column a name of its own")
			}
		}
		if units != nil {
			c.Unit = unitText(units[j].text)
		}
		if d := b.fill(&c, j); d != nil {
			return nil, d
		}
		t.Columns = append(t.Columns, c)
	}
	t.at = make([][]diag.Span, len(b.rows))
	for r, rec := range b.rows {
		t.at[r] = make([]diag.Span, len(kept))
		for i, j := range kept {
			t.at[r][i] = rec[j].span
		}
	}
	return t, nil
}

// checkHeader refuses a first line of numbers: taken for names it would swallow a row.
func (b *builder) checkHeader() *diag.Diagnostic {
	numbers, words := 0, 0
	for _, f := range b.head {
		if _, ok := b.number(f.text); ok && !f.quoted {
			numbers++
		} else if f.text != "" {
			words++
		}
	}
	if numbers > 0 && words == 0 {
		return diag.New("E0602", whole(b.head), "the first line holds numbers, not names of columns").
			At("expected names, such as `time`, `x`").WithHelp("put a line of column names first")
	}
	if words == 0 {
		return diag.New("E0602", whole(b.head), "the first line names no column").WithHelp("put a line of column names first")
	}
	return nil
}

func (b *builder) checkWidth(r record) *diag.Diagnostic {
	n, m := len(r), len(b.head)
	if n == m {
		return nil
	}
	if n > m {
		extra := r[m].span.Join(r[n-1].span)
		d := diag.New("E0604", extra, "this row has %s, the header has %d", cells(n), m).At("no column for this").And(whole(b.head), "%s here", cells(m))
		if b.opt.Delimiter == ',' {
			return d.WithHelp("remove it, or, where a comma stands for a decimal point, write `3.14` for `3,14`")
		}
		return d.WithHelp("remove it, or name the column")
	}
	end := r[n-1].span.Hi
	return diag.New("E0604", diag.Span{Src: b.src, Lo: r[0].span.Lo, Hi: end}, "this row has %s, the header has %d", cells(n), m).
		At("nothing for `%s`", b.head[n].text).And(whole(b.head), "%s here", cells(m)).
		WithHelp("where a value is missing leave its cell empty, but keep %s", delimName(b.opt.Delimiter))
}

func cells(n int) string {
	if n == 1 {
		return "1 cell"
	}
	return fmt.Sprintf("%d cells", n)
}

func whole(r record) diag.Span { return r[0].span.Join(r[len(r)-1].span) }

func (b *builder) empty(j int) bool {
	for _, r := range b.rows {
		if r[j].text != "" {
			return false
		}
	}
	return true
}

func (b *builder) missing(f field) bool {
	return f.text == "" && !f.quoted || f.text == "NA" || f.text == "" || slices.Contains(b.opt.Missing, f.text)
}

// fill reads the cells of column j.
func (b *builder) fill(c *Column, j int) *diag.Diagnostic {
	c.Missing = make([]bool, len(b.rows))
	numeric, some, special := false, false, true
	var comma *field // the first cell, where all are numbers but for a decimal comma
	commas := true
	for r, rec := range b.rows {
		f := rec[j]
		if c.Missing[r] = b.missing(f); c.Missing[r] {
			continue
		}
		if !some {
			comma = &rec[j]
		}
		some = true
		whole, digits := b.number(f.text)
		commas = commas && (b.comma(f.text) || digits && !strings.Contains(f.text, ".") && whole == whole)
		if b.comma(f.text) && !b.comma(comma.text) {
			comma = &rec[j]
		}
		if v, ok := whole, digits; ok {
			numeric = numeric || !math.IsInf(v, 0) && !math.IsNaN(v)
		} else {
			special = false
		}
	}
	// A column of nothing but nan is a failed computation, not a column of texts; one of nothing at all is
	// a measurement that was never made.
	numeric = numeric || some && special || !some
	if some && commas && b.comma(comma.text) && !slices.Contains(b.opt.Text, c.Name) {
		return diag.New("E0605", comma.span, "the numbers of column `%s` have a comma for their decimal point, %q", c.Name, comma.text).At("expected a number").
			WithHelp("read the file with `decimal = \",\"`, or write `%s` for `%s`", strings.Replace(comma.text, ",", ".", 1), comma.text)
	}
	if !numeric || slices.Contains(b.opt.Text, c.Name) {
		c.Text = make([]string, len(b.rows))
		for r, rec := range b.rows {
			c.Text[r] = rec[j].text
		}
		return nil
	}
	c.Values = make([]float64, len(b.rows))
	for r, rec := range b.rows {
		f := rec[j]
		if c.Missing[r] {
			c.Values[r] = math.NaN()
			continue
		}
		v, ok := b.number(f.text)
		if !ok {
			return notNumber(c, f)
		}
		if math.IsNaN(v) || math.IsInf(v, 0) {
			d := diag.New("E0606", f.span, "`%s` in column `%s` is not finite", f.text, c.Name).At("expected a finite number")
			if math.IsNaN(v) {
				return d.WithHelp("if the value is missing, leave the cell empty")
			}
			return d.WithHelp("write a finite number, or leave the cell empty")
		}
		c.Values[r] = v
	}
	return nil
}

// notNumber says what is wrong with a cell, and the most likely fix.
func notNumber(c *Column, f field) *diag.Diagnostic {
	d := diag.New("E0605", f.span, "%q in column `%s` is not a number", f.text, c.Name).At("expected a number")
	switch {
	case decimalComma(f.text):
		return d.WithHelp("write the decimal point as a point, `%s`", strings.Replace(f.text, ",", ".", 1))
	case grouped(f.text):
		return d.WithHelp("write it without separators, `%s`", ungroup.Replace(f.text))
	case slices.Contains([]string{"-", "--", ".", "?", "n/a", "N/A", "na", "null", "NULL", "None", "none", "missing", "*", "#N/A"}, f.text):
		return d.WithHelp("if the value is missing, leave the cell empty")
	}
	return d.WithHelp("mend the cell, or leave it empty if the value is missing")
}

// decimalComma says whether the only thing wrong with a number is a comma for its point.
func decimalComma(s string) bool {
	if strings.Count(s, ",") != 1 || strings.Contains(s, ".") {
		return false
	}
	v, ok := number(strings.Replace(s, ",", ".", 1))
	return ok && !math.IsNaN(v) && !math.IsInf(v, 0)
}

// comma says whether a cell is a number but for a decimal comma, which is not meant.
func (b *builder) comma(s string) bool { return b.opt.Decimal != ',' && decimalComma(s) }

// number reads a cell, with a decimal comma where that is meant.
func (b *builder) number(s string) (float64, bool) {
	if b.opt.Decimal == ',' && decimalComma(s) {
		s = strings.Replace(s, ",", ".", 1)
	}
	return number(s)
}

var ungroup = strings.NewReplacer(",", "", " ", "", "'", "", "_", "", "\u00a0", "", "\u202f", "")

// grouped says whether the only thing wrong with a number is what separates its thousands.
func grouped(s string) bool {
	t := ungroup.Replace(s)
	v, ok := number(t)
	return ok && t != s && !math.IsNaN(v) && !math.IsInf(v, 0)
}

// number reads a cell: decimal numbers as every program writes them, and the words for what is
// not finite, which the caller refuses. Hexadecimal numbers and underscores are no numbers here.
func number(s string) (float64, bool) {
	if s == "" {
		return 0, false
	}
	switch strings.ToLower(strings.TrimLeft(s, "+-")) {
	case "nan":
		return math.NaN(), true
	case "inf", "infinity":
		if s[0] == '-' {
			return math.Inf(-1), true
		}
		return math.Inf(1), true
	}
	for i := 0; i < len(s); i++ {
		if c := s[i]; (c < '0' || c > '9') && c != '+' && c != '-' && c != '.' && c != 'e' && c != 'E' {
			return 0, false
		}
	}
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		// Too large for a float64 is a number, though not a finite one; too small is zero.
		return v, errors.Is(err, strconv.ErrRange)
	}
	return v, true
}
