package eval

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/udl-lang/udl/lang/diag"
)

// Trajectories by name, elements that are free by themselves, arrays as data, reports in files.
func TestNamedTrajectories(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "d.csv"), []byte("id;t;x\n1;0;1,0\n1;1;0,5\n1;2;0,3\nb;0;2,0\nb;1;1,1\nb;2;0,5\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	in := New(Options{Out: &out, Err: &out, Dir: dir, Quiet: true})
	err := in.Run(context.Background(), diag.NewSource("s", `
model D { param k = 1 in 0..10; state x = 1; x' = -k*x }
d = csv("d.csv", time = "t", by = "id", text = "id", decimal = ",")
b = fit(D, d, free = [k, x])
assert(b["b"].x == b[2].x and b["1"].x == b[1].x)
assert(b["k"] == b.k)
save(b.report, "r.json")
save(b.report, "r.txt")
r = json("r.json")
assert(r.loss == b.loss and r.estimates.k == b.k)
model A { param k[2] = [1, 2] in 0..9; state u[2] = [1, 1]; u[i]' = -k[i]*u[i] }
s = solve(A, t = 0..2 by 0.25, set = {k: [0.5, 0.8]})
one = fit(A, {t: s.t, u: s.u}, free = [k[1]])
assert_close(one.k, [0.5, 2], rtol = 1e-5)
all = fit(A, {t: s.t, y: s.u}, match = {u: "y"})
assert_close(all.k, [0.5, 0.8], rtol = 1e-5)
two = fit(A, {t: s.t, p: s.u[.., 1], q: s.u[.., 2]}, match = {u: ["p", "q"]})
assert_close(two.k, [0.5, 0.8], rtol = 1e-5)
print(["a", "b, c"], {w: "x"})
`))
	if err != nil {
		var e bytes.Buffer
		diag.RenderList(&e, diag.From(err), false)
		t.Fatalf("%v\n%s\n%s", err, out.String(), e.String())
	}
	text, err := os.ReadFile(filepath.Join(dir, "r.txt"))
	if err != nil || !strings.Contains(string(text), "2 trajectories") {
		t.Errorf("%v %s", err, text)
	}
	if !strings.Contains(out.String(), `["a", "b, c"] {w: "x"}`) {
		t.Errorf("texts in lists are not quoted: %s", out.String())
	}
}
