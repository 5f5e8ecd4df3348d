package trace

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func frame(cols ...Column) *Frame { return &Frame{Columns: cols} }

func TestWriteCSV(t *testing.T) {
	f := frame(
		Column{Name: "t", Values: []float64{0, 0.1, 1e15, 1e-7}},
		Column{Name: `a "b", c`, Values: []float64{math.NaN(), math.Inf(1), math.Inf(-1), -2}},
		Column{Name: "who", Text: []string{"hare", "#lynx", " x ", "a\nb"}},
	)
	var b strings.Builder
	if err := WriteCSV(&b, f); err != nil {
		t.Fatal(err)
	}
	want := "t,\"a \"\"b\"\", c\",who\n0,,hare\n0.1,inf,\"#lynx\"\n1e+15,-inf,\" x \"\n1e-07,-2,\"a\nb\"\n"
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}

func TestWriteCSVLoneMissing(t *testing.T) {
	var b strings.Builder
	if err := WriteCSV(&b, frame(Column{Name: "x", Values: []float64{1, math.NaN(), 2}})); err != nil {
		t.Fatal(err)
	}
	if want := "x\n1\n\"\"\n2\n"; b.String() != want {
		t.Errorf("got %q, want %q: a blank line would be no row", b.String(), want)
	}
}

// What is written reads back to the same bits, by a reader that is not ours.
func TestCSVRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 20).Draw(t, "rows")
		name := rapid.StringMatching(`[a-z ",;#\n]{1,8}`).Draw(t, "name")
		vals := rapid.SliceOfN(rapid.Float64(), n, n).Draw(t, "values")
		texts := rapid.SliceOfN(rapid.StringMatching(`[a-z ",;#\n]{0,6}`), n, n).Draw(t, "texts")
		var b bytes.Buffer
		if err := WriteCSV(&b, frame(Column{Name: name, Values: append([]float64{}, vals...)}, Column{Name: "s", Text: texts})); err != nil {
			t.Fatal(err)
		}
		recs, err := csv.NewReader(&b).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		if len(recs) != n+1 || recs[0][0] != name {
			t.Fatalf("%d records, header %q", len(recs), recs[0])
		}
		for i, r := range recs[1:] {
			v, err := strconv.ParseFloat(r[0], 64)
			if math.IsNaN(vals[i]) && r[0] == "" {
				v, err = vals[i], nil
			}
			if err != nil || math.Float64bits(v) != math.Float64bits(vals[i]) && !(math.IsNaN(v) && math.IsNaN(vals[i])) {
				t.Fatalf("row %d: wrote %v, read %q", i, vals[i], r[0])
			}
			if r[1] != texts[i] {
				t.Fatalf("row %d: wrote %q, read %q", i, texts[i], r[1])
			}
		}
	})
}

func TestWriteJSON(t *testing.T) {
	f := frame(
		Column{Name: "t", Unit: "year", Values: []float64{0, 1}},
		Column{Name: "x\"", Doc: "hares\n", Values: []float64{math.NaN(), math.Inf(-1)}},
		Column{Name: "s", Text: []string{"a", "b"}},
	)
	var b bytes.Buffer
	if err := WriteJSON(&b, f); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Rows    int
		Columns []struct {
			Name, Unit, Doc string
			Values          []any
			Text            []string
		}
	}
	if err := json.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatalf("%v in\n%s", err, b.String())
	}
	c := got.Columns
	if got.Rows != 2 || len(c) != 3 || c[0].Unit != "year" || c[1].Name != "x\"" || c[1].Doc != "hares\n" {
		t.Errorf("got %+v", got)
	}
	if c[1].Values[0] != nil || c[1].Values[1] != "-inf" || c[0].Values[1] != 1.0 || c[2].Text[1] != "b" {
		t.Errorf("values %v %v %v", c[0].Values, c[1].Values, c[2].Text)
	}
}

func TestUnequalColumns(t *testing.T) {
	f := frame(Column{Name: "a", Values: []float64{1, 2}}, Column{Name: "b", Values: []float64{1}})
	for name, write := range map[string]func(io.Writer, *Frame) error{
		"csv": WriteCSV, "json": WriteJSON,
		"table": func(w io.Writer, f *Frame) error { return WriteTable(w, f, TableOptions{}) },
	} {
		if err := write(io.Discard, f); err == nil || !strings.Contains(err.Error(), "`b` has 1 rows") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestEmptyFrame(t *testing.T) {
	for _, f := range []*Frame{{}, frame(Column{Name: "a", Values: []float64{}})} {
		var b bytes.Buffer
		if err := errors.Join(WriteCSV(&b, f), WriteJSON(&b, f), WriteTable(&b, f, TableOptions{})); err != nil {
			t.Error(err)
		}
	}
}

func TestWriteFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.csv")
	put := func(s string) func(io.Writer) error {
		return func(w io.Writer) error { _, err := io.WriteString(w, s); return err }
	}
	if err := WriteFile(path, put("one")); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	// An error halfway leaves the earlier file and nothing else.
	boom := errors.New("boom")
	err := WriteFile(path, func(w io.Writer) error { io.WriteString(w, "half"); return boom })
	if !errors.Is(err, boom) {
		t.Errorf("got %v", err)
	}
	if b, _ := os.ReadFile(path); string(b) != "one" {
		t.Errorf("file now holds %q", b)
	}
	link := filepath.Join(dir, "link.csv")
	if err := os.Symlink("a.csv", link); err != nil {
		t.Skip(err)
	}
	if err := WriteFile(link, put("two")); err != nil {
		t.Fatal(err)
	}
	if b, _ := os.ReadFile(path); string(b) != "two" {
		t.Errorf("through the link: %q", b)
	}
	if st, _ := os.Lstat(link); st.Mode()&os.ModeSymlink == 0 {
		t.Error("the link was replaced by a file")
	}
	if st, _ := os.Stat(path); st.Mode().Perm() != 0o600 {
		t.Errorf("permissions became %v", st.Mode().Perm())
	}
	if names, _ := filepath.Glob(filepath.Join(dir, ".*")); len(names) > 0 {
		t.Errorf("left behind: %v", names)
	}
	if err := WriteFile(filepath.Join(dir, "no", "b.csv"), put("")); !errors.Is(err, os.ErrNotExist) || strings.Contains(err.Error(), "tmp") {
		t.Errorf("missing directory: %v", err)
	}
}

func TestWriteTable(t *testing.T) {
	var ts, x, y []float64
	for i := range 30 {
		ts = append(ts, float64(i)/10)
		x = append(x, math.Exp(float64(i)/3))
		y = append(y, math.Exp(-float64(i)*0.7))
	}
	y[2] = math.NaN()
	f := frame(Column{Name: "t", Unit: "year", Values: ts}, Column{Name: "x", Values: x}, Column{Name: "y", Values: y})
	var long, narrow, all strings.Builder
	WriteTable(&long, f, TableOptions{Rows: 6})
	golden(t, "table_long.txt", long.String())
	WriteTable(&narrow, f, TableOptions{Rows: 3, Width: 20})
	golden(t, "table_narrow.txt", narrow.String())
	WriteTable(&all, f, TableOptions{Rows: -1})
	if n := strings.Count(all.String(), "\n"); n != 32 {
		t.Errorf("all rows: %d lines", n)
	}
	var text strings.Builder
	WriteTable(&text, frame(Column{Name: "who", Text: []string{"hare", "a\tlynx\n"}}, Column{Name: "n", Values: []float64{1e-9, 3}}), TableOptions{})
	golden(t, "table_text.txt", text.String())
}

func TestTableLinesFit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 6).Draw(t, "n")
		f := &Frame{}
		for range rapid.IntRange(2, 6).Draw(t, "columns") {
			f.Add(rapid.StringMatching(`[a-z]{1,9}`).Draw(t, "name"), "", rapid.SliceOfN(rapid.Float64(), n, n).Draw(t, "v"))
		}
		var b strings.Builder
		if err := WriteTable(&b, f, TableOptions{Width: 50}); err != nil {
			t.Fatal(err)
		}
		for _, l := range strings.Split(b.String(), "\n") {
			if len([]rune(l)) > 50 && !strings.HasPrefix(l, "  (") {
				t.Fatalf("%d wide: %q", len([]rune(l)), l)
			}
		}
	})
}
