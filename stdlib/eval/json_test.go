package eval

import (
	"bytes"
	"context"
	"testing"
	"testing/fstest"

	"github.com/udl-lang/udl/lang/diag"
)

var jsonFiles = fstest.MapFS{
	"good.json":  {Data: []byte(`{"a": [1, 2.5, -3e2], "m": [[1, 2], [3, 4], [5, 6]], "ragged": [[1], [2, 3]], "none": null, "name": "fit", "deep": {"yes": true}, "empty": []}`)},
	"cut.json":   {Data: []byte("{\"a\": [1, 2,\n 3")},
	"twice.json": {Data: []byte(`{"a": 1, "a": 2}`)},
	"more.json":  {Data: []byte(`{} {}`)},
	"csv.json":   {Data: []byte("t,x\n1,2\n")},
}

func TestJSON(t *testing.T) {
	var out bytes.Buffer
	in := New(Options{Out: &out, Err: &out, FS: jsonFiles})
	err := in.Run(context.Background(), diag.NewSource("script", `
r = json("good.json")
assert_close(r.a, [1, 2.5, -300])
assert_close(r.m[3, ..], [5, 6])
assert_close(r.ragged[2], [2, 3])
assert(r.none != r.none, "null is nan")
assert(r.name == "fit" and r.deep.yes, "texts and truths")
assert(exists("good.json") and not exists("bad.json"), "there or not")
assert_close(transpose(reshape([1, 2, 3, 4, 5, 6], [2, 3])), [[1, 4], [2, 5], [3, 6]])
model D { param k = 1; state x = 2; x' = -k*x }
best = fit(D, {t: [0, 1, 2], x: [2, 2*exp(-0.5), 2*exp(-1)]}, train = bfgs)
assert_close(best.k, 0.5, rtol = 1e-4)`))
	if err != nil {
		t.Error(explained(err))
	}
}

// TestJSONThereAndBack: what save writes json reads.
func TestJSONThereAndBack(t *testing.T) {
	var out bytes.Buffer
	in := New(Options{Out: &out, Err: &out, Dir: t.TempDir()})
	err := in.Run(context.Background(), diag.NewSource("script", `
save({a: 0.1, m: [[1, 1e-300], [-3, 4]], deep: {name: "a \"b\"", yes: true}, mixed: [1, "two", [3]], none: nan}, "r.json")
r = json("r.json")
assert(r.a == 0.1 and r.m[1, 2] == 1e-300 and r.m[2, 1] == -3, "to the bit")
assert(r.deep.name == "a \"b\"" and r.deep.yes and r.mixed[2] == "two" and r.mixed[3][1] == 3, "parts")
assert(r.none != r.none, "missing")
save([1, 2], "v.json")
assert_close(json("v.json"), [1, 2])`))
	if err != nil {
		t.Error(explained(err))
	}
	if err := in.Run(context.Background(), diag.NewSource("script", `save({a: [1, inf]}, "r.json")`)); err == nil || diag.From(err)[0].Message != "cannot write `r.json`: a is inf, which JSON cannot say" {
		t.Errorf("infinite: %v", err)
	}
}

func explained(err error) string {
	var e bytes.Buffer
	diag.RenderList(&e, diag.From(err), false)
	return e.String()
}

func TestJSONErrors(t *testing.T) {
	for text, want := range map[string]string{
		`json("cut.json")`:                 "`cut.json` is no JSON: unexpected EOF, at line 2, column 3",
		`json("twice.json")`:               "`twice.json` is no JSON: the name \"a\" stands twice, at line 1, column 13",
		`json("more.json")`:                "`more.json` is no JSON: something stands behind its end, at line 1, column 5",
		`json("csv.json")`:                 "`csv.json` is no JSON: invalid character ',' in literal true (expecting 'r'), at line 1, column 1",
		`reshape([1, 2, 3], [2, 2])`:       "an array of shape [3] has 3 elements, the shape asks for another number",
		`reshape([1, 2, 3], [1.5, 2])`:     "`shape` is a list of whole numbers above 0, it holds 1.5",
		`fit(D, {t: [0, 1], x: [1]})`:      "`x` has 1 elements, `t` has 2",
		`fit(D, {t: [0, 1], x: [1, nan]})`: "element 2 of x is NaN",
		`fit(D, {t: [0, 1], x: "no"})`:     "a record that serves as a table holds vectors, `x` is the text \"no\"",
	} {
		var out bytes.Buffer
		in := New(Options{Out: &out, Err: &out, FS: jsonFiles})
		err := in.Run(context.Background(), diag.NewSource("script", "model D { param k = 1; state x = 2; x' = -k*x }\n"+text))
		if err == nil || diag.From(err)[0].Message != want {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// TestTextsFromOutside: the command line reaches constants that are texts.
func TestTextsFromOutside(t *testing.T) {
	run := func(o Options, text string) (string, error) {
		var out bytes.Buffer
		o.Out, o.Err = &out, &out
		return out.String(), New(o).Run(context.Background(), diag.NewSource("script", text))
	}
	o := Options{Texts: map[string]string{"folder": "007", "n": "3"}, Sets: map[string]float64{"folder": 7, "n": 3}}
	if _, err := run(o, `
const folder = "here"
const n = 1
assert(folder == "007", folder)
assert(n == 3, "the number")`); err != nil {
		t.Error(explained(err))
	}
	if _, err := run(Options{Texts: map[string]string{"n": "many"}}, "const n = 1"); err == nil {
		t.Error("a text in place of a number was taken")
	}
	if _, err := run(Options{Texts: map[string]string{"floder": "x"}}, `const folder = "here"`); err == nil {
		t.Error("a name that nothing bears was taken")
	}
}
