package eval

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/udl-lang/udl/compiler/ir"
	"github.com/udl-lang/udl/lang/diag"
)

// files lists a folder's files but the data that sessions start with.
func files(t *testing.T, dir string) (names []string) {
	t.Helper()
	all, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range all {
		if f.Name() != "lynx_hare.csv" {
			names = append(names, f.Name())
		}
	}
	return names
}

// A solve into a file writes what save writes of one that is kept, to the byte: arrays, lets, events, jumps, algebraic equations, backwards; and leaves nothing else behind.
func TestSolveIntoIsSave(t *testing.T) {
	for name, text := range map[string]string{
		"decay": "model M { param k = 2; state x = 1, u[2] = [1, 2]; let e = k*x^2; let w = [x, t]; x' = -k*x; u' = -u }",
		"ball":  "model M { state y = 1, v = 0; y' = v; v' = -9.81; let h = 2*y; when y < 0 { v := -0.9*v } }",
		"every": "model M { state x = 1; discrete n = 0; x' = -x; every 0.5 { x := x + 1; n := n + 1 } }",
		"jump":  "model M { state x = 0; let s = if sin(t) > 0 then 1 else -1; x' = s - x }",
		"dae":   "model M { state x = 1, z = 2; x' = -z; 0 = z - 2*x; every 1 { x := x + 1 } }",
		"plain": "model M { state x = 1; x' = -x }",
	} {
		times := []string{"0..2", "0..2 by 0.1", "0..2 by 0.3", "0..2 at [0.5, 1, 2]"}
		if name == "plain" {
			times = append(times, "2..0 by -0.5", "2..0")
		}
		for _, ts := range times {
			in, out := session(t)
			script := text + "\nsave(solve(M, t = " + ts + ", rtol = 1e-8), \"kept.csv\")\ns = solve(M, t = " + ts + ", rtol = 1e-8, into = \"gone.csv\")\n" +
				"k = solve(M, t = " + ts + ", rtol = 1e-8)\nassert(s.last.t == k.last.t, \"the end\")\nassert(s.status == k.status and s.stats.steps == k.stats.steps, \"the same run\")\n"
			if err := in.Run(context.Background(), diag.NewSource("script", script)); err != nil {
				t.Fatalf("%s: %v\n%s", name, err, out)
			}
			kept, err := os.ReadFile(filepath.Join(in.o.Dir, "kept.csv"))
			if err != nil {
				t.Fatal(err)
			}
			gone, err := os.ReadFile(filepath.Join(in.o.Dir, "gone.csv"))
			if err != nil || !bytes.Equal(kept, gone) {
				t.Errorf("%s, t = %s: %v, save writes\n%.400s\ninto\n%.400s", name, ts, err, kept, gone)
			}
			if f := files(t, in.o.Dir); len(f) != 2 {
				t.Errorf("%s: files are left: %v", name, f)
			}
		}
	}
}

// What is not kept is refused with the way to it; what is kept is there.
func TestSolveIntoKeepsNothing(t *testing.T) {
	in, _ := session(t)
	run := func(text string) *diag.Diagnostic {
		l := diag.From(in.Run(context.Background(), diag.NewSource("script", text)))
		if len(l) == 0 {
			return nil
		}
		return l[0]
	}
	if d := run(`model M { param k = 2; state x = 1; discrete n = 0; let y = 3*x; x' = -k*x; every 1 { n := n + 1 } }
s = solve(M, t = 0..3 by 0.1, rtol = 1e-9, into = "m.csv")
assert_close(s.last.x, exp(-6), rtol = 1e-7)
assert_close(s.last.y, 3*exp(-6), rtol = 1e-7)
assert(s.last.n == 3 and s.last.t == 3, "the end")
assert(s(3).x == s.last.x, "the end as a call")
assert(s.k == 2 and s.status == "done" and s.stats.events == 3, "parameters and account")
m = csv("m.csv", time = "t")
assert(length(m.t) == 31 and m.x[end] == s.last.x and m.n[11] == 1, "read back")
kept = solve(M, t = 0..3 by 0.1, rtol = 1e-9)
assert(kept.last.x == kept.x[end] and kept.last.y == kept.y[end], "last of any solution")`); d != nil {
		t.Fatal(d)
	}
	for _, x := range []string{"s.x", "s.y", "s.t", "s.n", "s.events", "s(1)", "s([1, 3])", "s.events.t"} {
		d := run("print(" + x + ")")
		if d == nil || d.Code != "E0716" || !strings.Contains(d.Message, "the outputs went to `m.csv` and are not kept") || !strings.Contains(d.Help, `csv("m.csv", time = "t")`) {
			t.Errorf("%s gives %v", x, d)
		}
	}
	for _, x := range []string{`save(s, "again.csv")`, `save(s, "s.svg")`, "plot(s)", "table(s)"} {
		if d := run(x); d == nil || d.Code != "E0704" || !strings.Contains(d.Message, "the outputs went to `m.csv` and are not kept") {
			t.Errorf("%s gives %v", x, d)
		}
	}
	if d := run("print(s.z)"); d == nil || d.Code != "E0708" || !strings.Contains(d.Help, "last, stats, status") {
		t.Errorf("%v", d)
	}
	v, err := in.Entry(context.Background(), diag.NewSource("prompt", "s"))
	if err != nil {
		t.Fatal(err)
	}
	var shown bytes.Buffer
	in.Show(&shown, v)
	for _, want := range []string{"31 outputs went to `m.csv`; at the end", "  x  ", "Vern7: done", "3 events, the last at t = 3"} {
		if !strings.Contains(shown.String(), want) {
			t.Errorf("shown is %q, without %q", shown.String(), want)
		}
	}
}

// A solve that stops early leaves the rows so far and says how many; so does one that is interrupted.
func TestSolveIntoStopsEarly(t *testing.T) {
	in, out := session(t)
	err := in.Run(context.Background(), diag.NewSource("script", "model Pole { state x = 1; x' = x^2 }\ns = solve(Pole, t = 0..2 by 0.1, into = \"pole.csv\")\nassert(abs(s.last.t - 1) < 1e-4, \"the pole\")"))
	if l := diag.From(err); len(l) != 1 || l[0].Code != "E0505" { // told at the end of the run
		t.Error(err)
	}
	b, _ := os.ReadFile(filepath.Join(in.o.Dir, "pole.csv"))
	if n := strings.Count(string(b), "\n"); (n != 11 && n != 12) || !strings.HasPrefix(string(b), "t,x\n0,1\n") || !strings.Contains(out.String(), "outputs up to t = ") ||
		!strings.Contains(out.String(), "are in `pole.csv`") {
		t.Errorf("%d lines of\n%s\ntold was\n%s", n, b, out)
	}
	if f := files(t, in.o.Dir); len(f) != 1 {
		t.Errorf("files are left: %v", f)
	}

	ctx, cancel := context.WithCancel(context.Background())
	n := 0
	stop := &ir.External{Name: "tick", N: 1, Eval: func(x []float64) float64 {
		if n++; n == 100_000 {
			cancel()
		}
		return x[0]
	}}
	dir := t.TempDir()
	in = New(Options{Dir: dir, Funcs: []*ir.External{stop}, Quiet: true})
	err = in.Run(ctx, diag.NewSource("script", "model Long { state x = 1, y = 0; x' = tick(y); y' = -x }\nsolve(Long, t = 0..1e6 by 0.5, max_steps = 1e9, into = \"long.csv\")"))
	l := diag.From(err)
	if len(l) != 1 || l[0].Code != "E0504" || len(l[0].Notes) == 0 || !strings.Contains(l[0].Notes[0], "are in `long.csv`") {
		t.Errorf("%v", err)
	}
	b, _ = os.ReadFile(filepath.Join(dir, "long.csv"))
	if lines := strings.Count(string(b), "\n"); lines < 1000 || b[len(b)-1] != '\n' || len(files(t, dir)) != 1 {
		t.Errorf("%d lines, files %v", lines, files(t, dir))
	}
}

// What cannot be written, or makes no sense, is an error with the place; a file that was there stays as it was, and nothing else is left.
func TestSolveIntoRefused(t *testing.T) {
	in, _ := session(t)
	dir := in.o.Dir
	if err := os.Mkdir(filepath.Join(dir, "folder.csv"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "old.csv"), []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	cases := map[string]string{
		`solve(M, t = 0..1, into = "nowhere/m.csv")`:                     "cannot write `nowhere/m.csv`: no such file",
		`solve(M, t = 0..1, into = "folder.csv")`:                        "cannot write `folder.csv`: is a directory",
		`solve(M, t = 0..1, into = "m.json")`:                            "`m.json` is no name for a table written row by row",
		`solve(M, t = 0..1, into = 3)`:                                   "`into` must be a text",
		`solve(M, t = 0..1 by -0.1, into = "old.csv")`:                   "does not lead from",
		`solve(M, t = 3, into = "old.csv")`:                              "`t` must be a range of times",
		`solve(M, t = 0..1 at [0.5, 2], into = "old.csv")`:               "lies outside",
		`solve(D, t = 0..1, solver = Tsit5, into = "old.csv")`:           "algebraic equations",
		`solve(E, t = 1..0, into = "old.csv")`:                           "only happen forward in time",
		`ensemble(M, vary = {x: [1, 2]}, t = 0..1, into = "old.csv")`:    "`into`",
		`sweep(M, over = {x: [1, 2]}, t = 0..1, into = "old.csv")`:       "`into`",
		`fit(M, t = 0..1, loss = s -> s.x[end]^2, into = "old.csv")`:     "`into`",
		`grad(M, t = 0..1, loss = s -> s.x[end]^2, into = "old.csv")`:    "`into`",
		`sensitivity(M, t = 0..1, into = "old.csv")`:                     "`into`",
		`steady(M, into = "old.csv")`:                                    "`into`",
		`solve(M, t = 0..1, solver = RK4, into = "old.csv")`:             "needs a fixed step",
		`solve(M, t = 0..1, set = {x: 1, nothing: 2}, into="old.csv")`:   "nothing that can be set",
		`solve(M, t = 0..1e6 by 1e-6, max_steps = 10, into = "big.csv")`: "points",
	}
	if runtime.GOOS == "linux" { // a disk that is full
		if err := os.Symlink("/dev/full", filepath.Join(dir, "full.csv")); err != nil {
			t.Fatal(err)
		}
		cases[`solve(M, t = 0..1 by 1e-5, into = "full.csv")`] = "cannot write `full.csv`: no space left on device; the solve had come to t = "
	}
	before := files(t, dir)
	const models = "model M { param k = 1; state x = 1; x' = -k*x }\nmodel D { state x = 1, z = 1; x' = -z; 0 = z - x }\nmodel E { state x = 1; x' = -x; every 1 { x := 1 } }\n"
	for text, want := range cases {
		l := diag.From(in.Run(context.Background(), diag.NewSource("script", models+text)))
		if len(l) != 1 || !strings.Contains(l[0].Error(), want) {
			t.Errorf("%s\ngives %v\nwant %q", text, l, want)
		}
		in, _ = session(t)
		in.o.Dir, in.host = dir, in.hostIn(dir)
	}
	if after := files(t, dir); strings.Join(before, " ") != strings.Join(after, " ") {
		t.Errorf("files before %v, after %v", before, after)
	}
	if b, err := os.ReadFile(filepath.Join(dir, "old.csv")); err != nil || string(b) != "old" {
		t.Errorf("the file that was there is %q, %v", b, err)
	}

	own := New(Options{FS: os.DirFS(dir)})
	err := own.Run(context.Background(), diag.NewSource("script", models+`solve(M, t = 0..1, into = "m.csv")`))
	if l := diag.From(err); len(l) != 1 || !strings.Contains(l[0].Message, "a file system of its own") {
		t.Errorf("with a file system of its own: %v", err)
	}

	// A function of the program that panics in the middle leaves no file either.
	n := 0
	bad := &ir.External{Name: "bad", N: 1, Eval: func(x []float64) float64 {
		if n++; n > 1000 {
			panic("broken")
		}
		return x[0]
	}}
	empty := t.TempDir()
	func() {
		defer func() { _ = recover() }()
		_ = New(Options{Dir: empty, Funcs: []*ir.External{bad}}).Run(context.Background(),
			diag.NewSource("script", "model B { state x = 1, y = 0; x' = bad(y); y' = -x }\nsolve(B, t = 0..1e4 by 1, into = \"b.csv\")"))
	}()
	if f := files(t, empty); len(f) != 0 {
		t.Errorf("a panic leaves %v", f)
	}
}

// A million rows take no more memory than the first thousand, and the progress is told.
func TestSolveIntoMemory(t *testing.T) {
	in, out := session(t)
	in.o.Quiet, in.host.Quiet = false, false
	var before, most uint64
	reports, done := 0, false
	in.SetProgress(func(p Progress) {
		if done = p.Done; done {
			return
		}
		if reports++; reports%200 == 5 {
			var m runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&m)
			if before == 0 {
				before = m.HeapAlloc
			}
			most = max(most, m.HeapAlloc)
		}
		if p.What != "solve Osc" || p.Total != 1000 || p.Iter > 1000 {
			t.Errorf("%+v", p)
		}
	})
	err := in.Run(context.Background(), diag.NewSource("script", `model Osc { state x = 1, y = 0; let r = x^2 + y^2; x' = y; y' = -x }
s = solve(Osc, t = 0..100000 by 0.1, solver = Yoshida6(dt = 0.2), max_steps = 1e9, into = "long.csv")
assert_close(s.last.r, 1, rtol = 1e-3)`))
	if err != nil {
		t.Fatal(err, out)
	}
	b, err := os.ReadFile(filepath.Join(in.o.Dir, "long.csv"))
	if n := bytes.Count(b, []byte("\n")); err != nil || n != 1_000_002 {
		t.Errorf("%d lines, %v", n, err)
	}
	t.Logf("heap %d bytes at the first report, %d at most; %d reports", before, most, reports)
	if reports < 900 || !done || most > before+1<<20 {
		t.Errorf("heap %d bytes at the first report, %d at most; %d reports, done %v", before, most, reports, done)
	}
}
