package data

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/runtime/trace"
	"pgregory.net/rapid"
)

// show is a table in one line: name[unit]=values, texts quoted, - for what is missing.
func show(t *Table) string {
	var cols []string
	for i := range t.Columns {
		c := &t.Columns[i]
		var vals []string
		for r := range t.Rows {
			switch {
			case c.Missing[r]:
				vals = append(vals, "-")
			case c.Numeric():
				vals = append(vals, fmt.Sprint(c.Values[r]))
			default:
				vals = append(vals, fmt.Sprintf("%q", c.Text[r]))
			}
		}
		s := c.Name
		if c.Unit != "" {
			s += "[" + c.Unit + "]"
		}
		cols = append(cols, s+"="+strings.Join(vals, " "))
	}
	return strings.Join(cols, "; ")
}

func TestReadCSV(t *testing.T) {
	for _, c := range []struct {
		name, text string
		opt        Options
		want       string
	}{
		{"plain", "year,hare\n1900,30\n1901,47.2\n", Options{}, "year=1900 1901; hare=30 47.2"},
		{"no end of line", "t,x\n0,1", Options{}, "t=0; x=1"},
		{"semicolons", "t;x\n0;1\n", Options{}, "t=0; x=1"},
		{"tabs", "t\tx\n0\t1\n1\t\n", Options{}, "t=0 1; x=1 -"},
		{"one column", "x\n1\n2\n", Options{}, "x=1 2"},
		{"semicolons beside commas in texts", "a;b\n1;\"x, y, z\"\n", Options{}, `a=1; b="x, y, z"`},
		{"delimiter given", "a|b\n1|2\n", Options{Delimiter: '|'}, "a=1; b=2"},
		{"missing", "t,x,y\n0,,NA\n1,2,\n", Options{}, "t=0 1; x=- 2; y=- -"},
		{"missing word of one's own", "t,x\n0,-999\n1,2\n", Options{Missing: []string{"-999"}}, "t=0 1; x=- 2"},
		{"nothing but missing", "t,x\n0,\n1,NA\n", Options{}, "t=0 1; x=- -"},
		{"byte order mark", "\xef\xbb\xbft,x\n0,1\n", Options{}, "t=0; x=1"},
		{"CRLF", "t,x\r\n0,1\r\n1,2\r\n", Options{}, "t=0 1; x=1 2"},
		{"CR", "t,x\r0,1\r", Options{}, "t=0; x=1"},
		{"comments and blank lines", "# from a paper\n\nt,x\n# then\n0,1\n   \n1,2\n#", Options{}, "t=0 1; x=1 2"},
		{"blanks around cells", " t , x \n 0 , 1 \n", Options{}, "t=0; x=1"},
		{"quotes", "\"t\",\"x, \"\"raw\"\"\"\n\"0\",\"1\"\n", Options{}, `t=0; x, "raw"=1`},
		{"line break in a cell", "t,note\n0,\"two\nlines\"\n1,b\n", Options{}, `t=0 1; note="two\nlines" "b"`},
		{"decimal commas", "t;x;who\n0;1,5;a\n1;2;b\n", Options{Decimal: ','}, `t=0 1; x=1.5 2; who="a" "b"`},
		{"decimal commas in one column", "x\n1,5\n2\n", Options{Decimal: ','}, "x=1.5 2"},
		{"decimal commas below units", "t;x\nh;mg\n0;1,5\n", Options{Decimal: ','}, "t[h]=0; x[mg]=1.5"},
		{"decimal commas as texts", "t;x\n0;1,5\n", Options{Text: []string{"x"}}, `t=0; x="1,5"`},
		{"texts", "who,n\nhare,3\nlynx,4\n", Options{}, `who="hare" "lynx"; n=3 4`},
		{"numbers as texts", "id,n\n1,3\n2a,4\n", Options{Text: []string{"id"}}, `id="1" "2a"; n=3 4`},
		{"numbers as people write them", "x\n+1\n-.5\n1.\n1e3\n1E-3\n007\n", Options{}, "x=1 -0.5 1 1000 0.001 7"},
		{"too small is zero", "x\n1e-400\n", Options{}, "x=0"},
		{"units in brackets", "t,x,who\n[year],[mg/L],\n0,1,a\n", Options{}, `t[year]=0; x[mg/L]=1; who="a"`},
		{"units as words", "t,x,y\nyear,mg/L,-\n0,1,2\n", Options{}, "t[year]=0; x[mg/L]=1; y=2"},
		{"units in parentheses", "t,x\n(s),(1)\n0,1\n", Options{}, "t[s]=0; x=1"},
		{"units said", "who\nname\na\n", Options{Units: UnitsYes}, `who[name]="a"`},
		{"texts are not units", "who,what\nhare,big\nlynx,small\n", Options{}, `who="hare" "lynx"; what="big" "small"`},
		{"a word over words is data", "who,n\nhare,\nlynx,4\n", Options{}, `who="hare" "lynx"; n=- 4`},
		{"column without a name", ",x\nrow1,1\n", Options{}, `column1="row1"; x=1`},
		{"delimiter at the ends of lines", "t,x,\n0,1,\n", Options{}, "t=0; x=1"},
		{"Greek", "zeit,α\n0,1\n", Options{}, "zeit=0; α=1"},
		{"words that begin like numbers", "x,e\n1,e\n2,infant\n", Options{}, `x=1 2; e="e" "infant"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			tb, err := ReadCSV(iotest.HalfReader(strings.NewReader(c.text)), "a.csv", c.opt)
			if err != nil {
				t.Fatal(err)
			}
			if got := show(tb); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// failures name the code, the place (line:column of the first label, "" for none), the text under the caret and
// a piece of the help.
var failures = []struct {
	name, text        string
	opt               Options
	code              diag.Code
	place, caret, fix string
}{
	{"empty file", "", Options{}, "E0601", "", "", "names"},
	{"only comments", "# nothing\n\n", Options{}, "E0601", "", "", "names"},
	{"no header", "0,1\n1,2\n", Options{}, "E0602", "1:1", "0,1", "column names first"},
	{"header of nothing", ",,\n1,2,3\n", Options{}, "E0602", "1:1", ",,", "column names first"},
	{"two of one name", "t,x,t\n0,1,2\n", Options{}, "E0603", "1:5", "t", "of its own"},
	{"unnamed and its stand-in", ",column1\n0,1\n", Options{}, "E0603", "1:2", "column1", "of its own"},
	{"too few cells", "t,x,y\n0,1,2\n1,2\n", Options{}, "E0604", "3:1", "1,2", "keep a comma"},
	{"too many cells", "t,x\n0,1\n1,2,3\n", Options{}, "E0604", "3:5", "3", "3.14"},
	{"too many with semicolons", "t;x\n0;1;2\n", Options{}, "E0604", "2:5", "2", "name the column"},
	{"decimal comma splits", "t,x\n0,3,14\n", Options{}, "E0604", "2:5", "14", "decimal point"},
	{"bad cell", "year,hare\n1900,30\n1901,4x7\n", Options{}, "E0605", "3:6", "4x7", "leave it empty"},
	{"bad cell, last line without end", "t,x\n0,1\n1,oops", Options{}, "E0605", "3:3", "oops", "mend"},
	{"bad cell after a line break in a cell", "n,x\n\"a\nb\",1\n\"c\",?\n", Options{}, "E0605", "4:5", "?", "empty"},
	{"bad quoted cell", "t,x\n0,1\n1,\"two\"\n", Options{}, "E0605", "3:3", `"two"`, "mend"},
	{"bad cell behind Greek", "α,β\n0,1\n1,zwölf\n", Options{}, "E0605", "3:3", "zwölf", "mend"},
	{"decimal comma", "t;x\n0;3,14\n1;2\n", Options{Units: UnitsNo}, "E0605", "2:3", "3,14", "`3.14`"},
	{"decimal commas throughout", "t;x\n0;1,5\n1;2,5\n", Options{}, "E0605", "2:3", "1,5", "`decimal = \",\"`"},
	{"decimal commas below units", "t;x\nh;mg\n0;1,5\n", Options{}, "E0605", "3:3", "1,5", "`decimal = \",\"`"},
	{"thousands", "t;x\n0;1\n1;1 234\n", Options{}, "E0605", "3:3", "1 234", "`1234`"},
	{"dash for missing", "t,x\n0,1\n1,-\n", Options{}, "E0605", "3:3", "-", "missing"},
	{"hexadecimal", "t,x\n0,1\n1,0x10\n", Options{}, "E0605", "3:3", "0x10", "mend"},
	{"underscore", "t,x\n0,1\n1,1_000\n", Options{}, "E0605", "3:3", "1_000", "`1000`"},
	{"NaN", "t,x\n0,1\n1,NaN\n", Options{}, "E0606", "3:3", "NaN", "leave the cell empty"},
	{"nothing but nan", "t,x\n0,nan\n1,nan\n", Options{}, "E0606", "2:3", "nan", "leave the cell empty"},
	{"infinity", "t,x\n0,1\n1,-inf\n", Options{}, "E0606", "3:3", "-inf", "finite"},
	{"too large", "t,x\n0,1\n1,1e999\n", Options{}, "E0606", "3:3", "1e999", "finite"},
	{"quote without end", "t,x\n0,\"1\n1,2\n", Options{}, "E0607", "2:3", `"`, "close it"},
	{"text after a quote", "t,x\n0,\"1\"2\n", Options{}, "E0607", "2:6", "2", "twice"},
	{"not UTF-8", "t,gr\xf6\xdfe\n0,1\n", Options{}, "E0610", "", "", "UTF-8"},
	{"UTF-16", "\xff\xfet\x00,\x00", Options{}, "E0610", "", "", "UTF-8"},
	{"binary", "PK\x03\x04\x00\x00", Options{}, "E0610", "", "", "CSV"},
	{"no rows", "t,x\n", Options{}, "E0611", "1:1", "t,x", "row below"},
	{"units and no rows", "t,x\ns,m\n", Options{Units: UnitsYes}, "E0611", "2:1", "s,m", "row below"},
	{"too large a file", "t,x\n0,1\n", Options{MaxBytes: 5}, "E0600", "", "", ""},
}

func TestReadCSVFailures(t *testing.T) {
	seen := map[diag.Code]bool{"E0608": true, "E0609": true} // of columns, tested below
	for _, c := range failures {
		t.Run(c.name, func(t *testing.T) {
			seen[c.code] = true
			_, err := ReadCSV(strings.NewReader(c.text), "a.csv", c.opt)
			check(t, err, c.code, c.place, c.caret, c.fix)
		})
	}
	for _, row := range diag.Codes() {
		if strings.HasPrefix(string(row.Code), "E06") && !seen[row.Code] {
			t.Errorf("%s (%s) is tested by nothing", row.Code, row.Title)
		}
	}
}

func check(t *testing.T, err error, code diag.Code, place, caret, fix string) {
	t.Helper()
	var d *diag.Diagnostic
	if !errors.As(err, &d) {
		t.Fatalf("got %v, want a diagnostic", err)
	}
	if d.Code != code {
		t.Errorf("code %s, want %s: %v", d.Code, code, d)
	}
	at := ""
	if sp := d.Span(); !sp.IsZero() {
		at = strings.TrimPrefix(sp.String(), "a.csv:")
	}
	if at != place {
		t.Errorf("place %q, want %q: %v", at, place, d)
	}
	if got := d.Span().Text(); got != caret {
		t.Errorf("caret under %q, want %q", got, caret)
	}
	if !strings.Contains(d.Help, fix) || fix != "" && d.Help == "" {
		t.Errorf("help %q does not say %q", d.Help, fix)
	}
	if !strings.Contains(d.Error(), "a.csv") {
		t.Errorf("no file in %q", d.Error())
	}
	if _, ok := diag.Explain(code); !ok {
		t.Errorf("%s is no row of the table of codes", code)
	}
}

func TestColumns(t *testing.T) {
	tb, err := ReadCSV(strings.NewReader("year,hare,who\n\n1900,30,a\n1901,,b\n"), "a.csv", Options{})
	if err != nil {
		t.Fatal(err)
	}
	if c, err := tb.Numbers("hare"); err != nil || !reflect.DeepEqual(c.Missing, []bool{false, true}) || !math.IsNaN(c.Values[1]) {
		t.Errorf("hare: %v, %v", c, err)
	}
	_, err = tb.Numbers("hares")
	check(t, err, "E0608", "1:1", "year,hare,who", "`hare`")
	_, err = tb.Column("completely different")
	check(t, err, "E0608", "1:1", "year,hare,who", "it has: `year`, `hare`, `who`")
	_, err = tb.Numbers("who")
	check(t, err, "E0609", "3:9", "a", "`year`, `hare`")
	if got := tb.Place(1, "hare"); got != "a.csv:4: hare" {
		t.Errorf("place %q", got)
	}
	if got := tb.Span(0, "hare").Text(); got != "30" {
		t.Errorf("span of %q", got)
	}
	if got := tb.Span(99, "hare").Text(); got != "hare" {
		t.Errorf("span out of range of %q", got)
	}
	if sp := tb.Span(0, "none"); !sp.IsZero() {
		t.Errorf("span of no column: %v", sp)
	}
}

func TestReaderFails(t *testing.T) {
	_, err := ReadCSV(io.MultiReader(strings.NewReader("t,x\n"), iotest.ErrReader(errors.New("disk on fire"))), "a.csv", Options{})
	check(t, err, "E0600", "", "", "")
	if !strings.Contains(err.Error(), "disk on fire") {
		t.Error(err)
	}
}

// The pelts of the gallery, when they are there.
func TestPelts(t *testing.T) {
	f, err := os.Open(filepath.Join("..", "..", "models", "lynx_hare.csv"))
	if err != nil {
		t.Skip(err)
	}
	defer f.Close()
	tb, err := ReadCSV(f, "lynx_hare.csv", Options{})
	if err != nil {
		t.Fatal(err)
	}
	h, err := tb.Numbers("hare")
	if err != nil || tb.Rows != 21 || h.Values[20] != 24.7 {
		t.Errorf("%d rows, %v, %v", tb.Rows, h, err)
	}
}

// What package trace writes reads back to the same bits.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 15).Draw(t, "rows")
		f := &trace.Frame{}
		finite := rapid.OneOf(rapid.Float64Range(-math.MaxFloat64, math.MaxFloat64), rapid.Just(math.NaN()))
		f.Add("t", "", rapid.SliceOfN(rapid.Float64Range(-1e9, 1e9), n, n).Draw(t, "t"))
		f.Add(rapid.StringMatching(`[a-su-zα-ω]([a-z ",;#\n]{0,6}[a-z])?`).Draw(t, "name"), "", rapid.SliceOfN(finite, n, n).Draw(t, "x"))
		var b bytes.Buffer
		if err := trace.WriteCSV(&b, f); err != nil {
			t.Fatal(err)
		}
		text := b.String()
		tb, err := ReadCSV(&b, "a.csv", Options{Delimiter: ','})
		if err != nil {
			t.Fatalf("%v in\n%s", err, text)
		}
		if tb.Rows != n || len(tb.Columns) != 2 || tb.Columns[1].Name != f.Columns[1].Name {
			t.Fatalf("%d rows, %v of\n%s", tb.Rows, tb.Names(), text)
		}
		for j, c := range tb.Columns {
			for r, v := range c.Values {
				if want := f.Columns[j].Values[r]; math.Float64bits(v) != math.Float64bits(want) && !(math.IsNaN(v) && math.IsNaN(want)) {
					t.Fatalf("wrote %v, read %v", want, v)
				}
			}
		}
	})
}

// Whatever the bytes: a table whose parts fit together, or a diagnostic; never a panic.
func FuzzReadCSV(f *testing.F) {
	for _, c := range failures {
		f.Add(c.text)
	}
	f.Add("t,x\n[s],[m]\n0,\"a\"\"b\"\r\n")
	f.Fuzz(func(t *testing.T, text string) {
		tb, err := ReadCSV(strings.NewReader(text), "a.csv", Options{})
		if err != nil {
			var d *diag.Diagnostic
			if !errors.As(err, &d) || d.Code == "" {
				t.Fatalf("not a diagnostic: %v", err)
			}
			diag.Render(io.Discard, d, false)
			return
		}
		for i := range tb.Columns {
			c := &tb.Columns[i]
			if len(c.Missing) != tb.Rows || max(len(c.Values), len(c.Text)) != tb.Rows {
				t.Fatalf("column %q has %d of %d rows", c.Name, len(c.Values), tb.Rows)
			}
			for r := range tb.Rows {
				tb.Place(r, c.Name)
				if c.Numeric() && c.Missing[r] != math.IsNaN(c.Values[r]) || c.Numeric() && math.IsInf(c.Values[r], 0) {
					t.Fatalf("row %d of %q: %v, missing %v", r, c.Name, c.Values[r], c.Missing[r])
				}
			}
		}
	})
}

func ExampleReadCSV() {
	_, err := ReadCSV(strings.NewReader("year,hare\n1900,30\n1901,4x7\n"), "pelts.csv", Options{})
	diag.RenderList(os.Stdout, diag.From(err), false)
	// Output:
	// error[E0605]: "4x7" in column `hare` is not a number
	//   --> pelts.csv:3:6
	//    |
	//  3 | 1901,4x7
	//    |      ^^^ expected a number
	//    = help: mend the cell, or leave it empty if the value is missing
}
