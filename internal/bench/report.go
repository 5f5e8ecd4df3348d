package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// result is a row with its figure, as -json writes it.
type result struct {
	Name    string  `json:"name"`
	What    string  `json:"what,omitempty"`
	Unit    string  `json:"unit"` // "ratio", "ms", …
	Median  float64 `json:"median"`
	Min     float64 `json:"min"`
	Max     float64 `json:"max"`
	Target  string  `json:"target,omitempty"`
	Verdict string  `json:"verdict,omitempty"` // "ok" or "short"
	Absent  string  `json:"absent,omitempty"`  // why there is no figure
	Detail  string  `json:"detail,omitempty"`
	Error   string  `json:"error,omitempty"`

	row *row
}

func newResult(r *row, f figure, err error) result {
	t := r.target
	if f.target != 0 {
		t.limit = f.target
	}
	res := result{Name: r.name, What: r.what, Unit: r.unit, Median: f.median, Min: f.min, Max: f.max, Target: t.String(), Absent: f.absent, Detail: f.detail, row: r}
	if res.Unit == "" {
		res.Unit = "ratio"
	}
	if err != nil {
		res.Error = err.Error()
		return res
	}
	res.Verdict = t.verdict(f)
	return res
}

// values are the three numbers in words, one for what is absent.
func (r *result) values() (median, spread string) {
	switch {
	case r.Error != "":
		return "error", ""
	case r.Absent != "":
		return r.Absent, ""
	}
	unit := r.row.unit
	if unit == "ms" || unit == "s" {
		unit = " " + unit
	} else {
		unit = ""
	}
	return number(r.Median) + unit, number(r.Min) + "–" + number(r.Max)
}

// line prints a result on a terminal.
func (r *result) line(w io.Writer) {
	m, s := r.values()
	if s != "" {
		s = "(" + s + ")"
	}
	rest := r.Detail
	if r.Error != "" {
		rest = r.Error
	}
	fmt.Fprintf(w, "%-24s %12s  %-15s %-8s %-6s %s\n", r.Name, m, s, r.Target, r.Verdict, rest)
}

func writeJSON(w io.Writer, m machine, results []result) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(struct {
		Machine machine  `json:"machine"`
		Figures []result `json:"figures"`
	}{m, results})
}

// writeMarkdown makes docs/benchmarks.md.
func writeMarkdown(w io.Writer, m machine, rounds int, results []result) {
	gcc := m.GCC
	if gcc == "" {
		gcc = "none: udl's times stand alone"
	}
	fmt.Fprintf(w, `# Benchmarks

Written by `+"`go run ./internal/bench -write`"+` on %s.

| | |
|---|---|
| processor | %s, %d cores |
| instructions | %s |
| Go | %s, %s |
| gcc | %s, flags %s |

A figure without a unit is a ratio, time of udl over time of what it is compared with: lower is better. Both sides are measured in turns, some milliseconds each, in up to %d rounds; the
figure is the median of the rounds' ratios, with the least and the greatest. Both get the same numbers and must find the same results. The C sources lie in
[internal/bench/c](../internal/bench/c), the models in [internal/bench/models](../internal/bench/models). `+"`short`"+` misses its target.

| row | figure | least–greatest | target | | behind it |
|---|---:|---:|---:|---|---|
`, m.Date, m.CPU, m.Cores, strings.Join(m.Flags, " "), m.Go, m.OS, gcc, strings.Join(flags, " "), rounds)
	for i := range results {
		r := &results[i]
		median, spread := r.values()
		if r.row.unit == "of peak" {
			median += " of peak"
		}
		detail := r.Detail
		if r.Error != "" {
			detail = r.Error
		}
		fmt.Fprintf(w, "| %s | %s | %s | %s | %s | %s |\n", r.Name, median, spread, r.Target, r.Verdict, strings.ReplaceAll(detail, "\n", " "))
	}
	fmt.Fprintf(w, `
## What the rows compare

`)
	writeNotes(w, results)
}

// writeNotes says what each row compares; rows without words of their own belong to those before them.
func writeNotes(w io.Writer, results []result) {
	for i := 0; i < len(results); {
		names := results[i].Name
		j := i + 1
		for ; j < len(results) && results[j].What == ""; j++ {
			names += ", " + results[j].Name
		}
		if what := results[i].What; what != "" {
			fmt.Fprintf(w, "- %s: %s.\n", names, what)
		}
		i = j
	}
	io.WriteString(w, `
On both sides a right-hand side's parameters are fixed before the calls, and each call waits for the result of the one before, as in a solver. udl's networks divide their inputs by
a scale, which C has not. Step sizes are chosen by PI controllers on both sides, with the same method and the same measure of the error; their constants differ a little, so a
step is compared with a step; `+"`74 ns × 250`"+` is 250 attempted steps in a solve. C calls the pow and tanh of its mathematical library. The gradient's cost contains its own solve. The derivative by hand writes what udl adds.
`)
}
