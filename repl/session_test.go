package repl

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"sort"
	"strconv"
	"strings"
	"testing"

	"github.com/udl-lang/udl/lang/diag"
)

// toy is an evaluator of sums, assignments and a few words, enough to hold a session with.
type toy struct{ vars map[string]float64 }

func newToy() *toy { return &toy{vars: map[string]float64{}} }

var _ Engine = (*toy)(nil)

func (e *toy) Eval(ctx context.Context, src *diag.Source, w io.Writer) error {
	for _, line := range strings.Split(oneLine(src.Text), ";") {
		if err := e.line(ctx, src, strings.TrimSpace(line), w); err != nil {
			return err
		}
	}
	return nil
}

func (e *toy) line(ctx context.Context, src *diag.Source, line string, w io.Writer) error {
	switch line {
	case "", "model M { }":
		return nil
	case "forever":
		fmt.Fprintln(w, "computing")
		<-ctx.Done()
		return fmt.Errorf("fit: %w", ctx.Err())
	case "best":
		<-ctx.Done() // keeps what it has, as a fit does
		fmt.Fprintln(w, "best so far")
		return nil
	case "panic":
		panic("no such luck")
	}
	name, expr, assign := strings.Cut(line, "=")
	if !assign {
		name, expr = "", line
	}
	sum := 0.0
	for _, t := range strings.Split(strings.NewReplacer("(", "", ")", "").Replace(expr), "+") {
		t = strings.TrimSpace(t)
		v, err := strconv.ParseFloat(t, 64)
		if err != nil {
			var ok bool
			if v, ok = e.vars[t]; !ok {
				at := strings.Index(src.Text, t)
				return diag.New("E0201", diag.Span{Src: src, Lo: at, Hi: at + len(t)}, "unknown name `%s`", t)
			}
		}
		sum += v
	}
	if assign {
		e.vars[strings.TrimSpace(name)] = sum
		return nil
	}
	fmt.Fprintln(w, sum)
	return nil
}

func (e *toy) Load(ctx context.Context, path string) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return e.Eval(ctx, diag.NewSource(path, string(b)), io.Discard)
}

func (e *toy) Incomplete(text string) bool {
	return strings.Count(text, "(")+strings.Count(text, "{") > strings.Count(text, ")")+strings.Count(text, "}") || strings.HasSuffix(strings.TrimSpace(text), "+")
}

func (e *toy) Complete(line string, pos int) ([]string, int) {
	head := line[:pos]
	i := strings.LastIndexAny(head, " +=(,\n") + 1
	var out []string
	for _, n := range append(e.Names(), "rtol = ") {
		if strings.HasPrefix(n, head[i:]) && (n != "rtol = " || strings.Contains(head, "solve(")) {
			out = append(out, n)
		}
	}
	sort.Strings(out)
	return out, len(head) - i
}

func (e *toy) Help(name string) (string, bool) {
	if name == "solve" {
		return "solve(m)\n  Solves a model.\n", true
	}
	return "", false
}

func (e *toy) Contents() ([]string, [][]string) { return []string{"names"}, [][]string{e.Names()} }

func (e *toy) Names() []string {
	names := []string{"solve", "solution", "fit"}
	for n := range e.vars {
		names = append(names, n)
	}
	sort.Strings(names)
	return names
}

func (e *toy) Models() []string { return []string{"LynxHare", "M"} }

func (e *toy) Model(w io.Writer, name string) error {
	if name != "M" {
		return fmt.Errorf("no model `%s`", name)
	}
	_, err := fmt.Fprintln(w, "model M { }")
	return err
}

func (e *toy) Graph(w io.Writer, name, pass string) error {
	_, err := fmt.Fprintf(w, "graph of %s after %q\n", name, pass)
	return err
}

// talk holds a session over a pipe.
func talk(t *testing.T, interactive bool, input string) (out, errs string, code int) {
	t.Helper()
	var o, e strings.Builder
	s := New(Config{Engine: newToy(), Out: &o, Err: &e, Interactive: interactive, Greeting: "hello"})
	code = s.Run(t.Context(), NewScanner(strings.NewReader(input)))
	return o.String(), e.String(), code
}

func TestSession(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "a.udl")
	if err := os.WriteFile(file, []byte("z = 40"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, in, out, errs string
		code                int
	}{
		{"values", "a = 1\na + 2\n", "3\n", "", 0},
		{"no end of line", "1 + 1", "2\n", "", 0},
		{"CRLF", "1 + 1\r\n2\r\n", "2\n2\n", "", 0},
		{"brackets", "(1 +\n2\n+ 3)\n", "6\n", "", 0},
		{"trailing operator", "1 +\n\n2\n", "3\n", "", 0},
		{"blocks", "model M {\n\n\n\n}\n5\n", "5\n", "", 0},
		{"blank lines", "\n\n  \n1\n", "1\n", "", 0},
		{"quit", ":quit\n1\n", "", "", 0},
		{"short quit", ":q\n1\n", "", "", 0},
		{"model", ":model M\n", "model M { }\n", "", 0},
		{"models", ":model\n", "LynxHare\nM\n", "", 0},
		{"graph", ":graph M\n:graph M opt\n", "graph of M after \"\"\ngraph of M after \"opt\"\n", "", 0},
		{"help of a name", "help solve\n", "solve(m)\n  Solves a model.\n", "", 0},
		{"help is a name too", "help = 2\nhelp + 1\n", "3\n", "", 0},
		{"load", ":load " + file + "\nz + 2\n", "42\n", "", 0},
		{"load, quoted", ":load \"" + file + "\"\nz\n", "40\n", "", 0},
		// What must fail: each is reported, gives 1 at the end and leaves the rest running.
		{"error and go on", "a = 1\nb + 1\na + 1\n", "2\n", "<prompt 2>:1:1: error[E0201]: unknown name `b`\n", 1},
		{"open bracket at the end", "(1 +\n", "", "unknown name ``", 1},
		{"panic and go on", "panic\n1\n", "1\n", "internal error: no such luck", 1},
		{"unknown command", ":modle M\n1\n", "1\n", "there is no command `:modle`", 1},
		{"unknown help", "help sovle\n", "", "there is no help on `sovle`", 1},
		{"unknown model", ":model X\n", "", "no model `X`", 1},
		{"missing file", ":load nothing.udl\n1\n", "1\n", "nothing.udl", 1},
		{"load what", ":load\n", "", "`:load` needs FILE", 1},
		{"graph of what", ":graph\n", "", "`:graph` needs NAME [PASS]", 1},
		{"time what", ":time\n", "", "`:time` needs EXPR", 1},
		{"time half", ":time (1 +\n", "", "one line", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, errs, code := talk(t, false, c.in)
			if out != c.out || code != c.code || !strings.Contains(errs, c.errs) || c.errs == "" && errs != "" {
				t.Errorf("out %q, want %q\nerr %q, want %q\ncode %d, want %d", out, c.out, errs, c.errs, code, c.code)
			}
		})
	}
}

func TestOverview(t *testing.T) {
	out, _, _ := talk(t, false, "help\n:help\n?\n")
	for _, c := range commands() {
		if strings.Count(out, c.name) < 3 || c.doc == "" || c.run == nil {
			t.Errorf("`%s` is not explained by help, :help and ?:\n%s", c.name, out)
		}
	}
	if !strings.Contains(out, "solution, solve") {
		t.Errorf("names are missing:\n%s", out)
	}
}

func TestTime(t *testing.T) {
	out, _, _ := talk(t, false, ":time 1 + 1\n")
	if !strings.HasPrefix(out, "2\n") || !strings.HasSuffix(out, "s\n") {
		t.Errorf("got %q", out)
	}
}

// At a terminal mistakes are no exit code: somebody has seen them.
func TestInteractiveCode(t *testing.T) {
	out, errs, code := talk(t, true, "b\n(1 +\n\n\n2\n")
	if code != 0 || !strings.HasPrefix(out, "hello\n") || !strings.HasSuffix(out, "2\n") || strings.Count(errs, "error") != 2 {
		t.Errorf("code %d, out %q, err %q", code, out, errs)
	}
}

// keyboard is a LineReader of lines and events.
type keyboard struct {
	events  []any // string or error
	prompts []string
	saved   []string
}

func (k *keyboard) ReadLine(prompt string) (string, error) {
	k.prompts = append(k.prompts, prompt)
	if len(k.events) == 0 {
		return "", io.EOF
	}
	e := k.events[0]
	k.events = k.events[1:]
	if err, ok := e.(error); ok {
		return "", err
	}
	return e.(string), nil
}

func (k *keyboard) Close() error { return nil }

func (k *keyboard) Save(entry string) { k.saved = append(k.saved, entry) }

func TestPromptsAndHistory(t *testing.T) {
	k := &keyboard{events: []any{"(1 +", "2)", "", "(3 +", ErrInterrupt, "4", "a b", ":model M"}}
	var out strings.Builder
	New(Config{Engine: newToy(), Out: &out, Interactive: true}).Run(t.Context(), k)
	if want := []string{Prompt, Continuation, Prompt, Prompt, Continuation, Prompt, Prompt, Prompt, Prompt}; !reflect.DeepEqual(k.prompts, want) {
		t.Errorf("prompts %q, want %q", k.prompts, want)
	}
	// Mistakes too are kept: they are what one wants back to mend.
	if want := []string{"(1 +\n2)", "4", "a b", ":model M"}; !reflect.DeepEqual(k.saved, want) {
		t.Errorf("history %q, want %q", k.saved, want)
	}
	if out.String() != "3\n4\nmodel M { }\n" {
		t.Errorf("out %q", out.String())
	}
}

func TestInputFails(t *testing.T) {
	var errs strings.Builder
	code := New(Config{Engine: newToy(), Err: &errs}).Run(t.Context(), &keyboard{events: []any{errors.New("terminal on fire")}})
	if code != 1 || !strings.Contains(errs.String(), "on fire") {
		t.Errorf("code %d, %q", code, errs.String())
	}
}

// Ctrl-C ends the computation, not the session; one that keeps what it has prints that.
func TestInterrupt(t *testing.T) {
	var out, errs strings.Builder
	s := New(Config{Engine: newToy(), Out: &out, Err: &errs, Interactive: true,
		Interruptible: func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(ctx)
			cancel()
			return ctx, cancel
		}})
	s.Run(t.Context(), &keyboard{events: []any{"a = 1", "forever", "best", "a"}})
	if out.String() != "computing\nbest so far\n1\n" || errs.String() != "interrupted\n" {
		t.Errorf("out %q, err %q", out.String(), errs.String())
	}
}

func TestComplete(t *testing.T) {
	dir := t.TempDir()
	for _, f := range []string{"lynx.udl", "lynx.csv"} {
		if err := os.WriteFile(filepath.Join(dir, f), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "lysts"), 0o755); err != nil {
		t.Fatal(err)
	}
	s := New(Config{Engine: newToy()})
	for _, c := range []struct {
		line    string
		want    []string
		replace int
	}{
		{"so", []string{"solution", "solve"}, 2},
		{"1 + fi", []string{"fit"}, 2},
		{"solve(M, rt", []string{"rtol = "}, 2},
		{"help so", []string{"solution", "solve"}, 2},
		{":m", []string{":model"}, 2},
		{":model L", []string{"LynxHare"}, 1},
		{":graph ", []string{"LynxHare", "M"}, 0},
		{":load " + dir + "/ly", []string{dir + "/lynx.udl", dir + "/lysts/"}, len(dir) + 3},
		{"xyz", nil, 3},
		{"", []string{"fit", "solution", "solve"}, 0},
	} {
		got, n := s.Complete(c.line, len(c.line))
		if !reflect.DeepEqual(got, c.want) || n != c.replace {
			t.Errorf("%q: %q, %d; want %q, %d", c.line, got, n, c.want, c.replace)
		}
	}
	// An argument is completed on a later line of its call, too.
	s.Line(t.Context(), "solve(M,")
	if got, n := s.Complete("  rt", 4); !reflect.DeepEqual(got, []string{"rtol = "}) || n != 2 {
		t.Errorf("on a second line: %q, %d", got, n)
	}
}

func TestCompleter(t *testing.T) {
	c := completer{func(string, int) ([]string, int) { return []string{"αβγ", "αδ", "x"}, len("α") }}
	got, n := c.Do([]rune("z = α"), 5)
	if n != 1 || len(got) != 2 || string(got[0]) != "βγ" || string(got[1]) != "δ" {
		t.Errorf("%q, %d", got, n)
	}
	if got, n := (completer{}).Do([]rune("a"), 1); got != nil || n != 0 {
		t.Errorf("no completion: %q, %d", got, n)
	}
}

func TestOneLine(t *testing.T) {
	for _, c := range [][2]string{
		{"a = 1", "a = 1"},
		{"a = 1 # one", "a = 1 # one"},
		{"a = (1 +\n  2) # three\nb = 2", "a = (1 + 2); b = 2"},
		{"model M {\n  state x = 1\n\n  x' = -x # decay\n}", "model M { state x = 1; x' = -x }"},
		{"if a {\n  b = 1\n}\nelse {\n  b = 2\n}", "if a { b = 1 } else { b = 2 }"},
		{"fit(M,\n  loss = sse\n)", "fit(M, loss = sse )"},
		{"s = \"# no comment (\"\nb = 1", "s = \"# no comment (\"; b = 1"},
		{"hand\nb", "hand; b"},
	} {
		if got := oneLine(c[0]); got != c[1] {
			t.Errorf("%q became %q, want %q", c[0], got, c[1])
		}
	}
}

func TestHistoryFile(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("XDG_STATE_HOME", dir)
	if got, want := HistoryFile(), filepath.Join(dir, "udl", "history"); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if st, err := os.Stat(filepath.Join(dir, "udl", "history")); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v: what one types is nobody else's business", st, err)
	}
	// A state directory that is a file cannot be written in.
	file := filepath.Join(dir, "file")
	os.WriteFile(file, nil, 0o644)
	t.Setenv("XDG_STATE_HOME", file)
	if got := HistoryFile(); got != "" {
		t.Errorf("%q where nothing can be written", got)
	}
}

func ExampleSession() {
	s := New(Config{Engine: newToy(), Out: os.Stdout})
	s.Run(context.Background(), NewScanner(strings.NewReader("a = 1\na + (2 +\n3)\n")))
	// Output: 6
}
