package native

import (
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"github.com/udl-lang/udl/compiler/code/native/block"
	"github.com/udl-lang/udl/compiler/code/native/internal/random"
)

func widths(t testing.TB) []int {
	w := Host().Widths()
	if len(w) == 0 {
		t.Skip(Host().Why)
	}
	return w
}

func clone(x [][]float64) [][]float64 {
	y := make([][]float64, len(x))
	for i := range x {
		y[i] = append([]float64(nil), x[i]...)
	}
	return y
}

// agree runs a block natively and by the interpreter, and reports whether the memory is the same after.
func agree(t *testing.T, b *block.Block, w, groups int, open bool, data [][]float64) bool {
	t.Helper()
	seg := Segment{Block: b, Width: w, Groups: groups}
	if open {
		seg.Groups = 0
	}
	c, err := Compile(Options{}, seg)
	if err != nil {
		t.Fatalf("%v\n%s", err, b)
	}
	it, err := block.NewInterp(b, w)
	if err != nil {
		t.Fatal(err)
	}
	want, got := clone(data), data
	f := c.NewFrame()
	for i, x := range got {
		f.Bind(i, x)
	}
	if err := it.Run(want, groups); err != nil {
		t.Fatal(err)
	}
	if err := f.Run(groups); err != nil {
		t.Fatal(err)
	}
	if err := c.Free(); err != nil {
		t.Fatal(err)
	}
	for i := range want {
		for k := range want[i] {
			if !random.Same(want[i][k], got[i][k]) {
				t.Errorf("width %d, %d groups: base %d[%d] is %v, the interpreter says %v\n%s", w, groups, i, k, got[i][k], want[i][k], b)
				return false
			}
		}
	}
	return true
}

// TestRandomBlocks compares generated code with the interpreter to the bit. UDL_RANDOM_BLOCKS says how many blocks; the widths take turns.
func TestRandomBlocks(t *testing.T) {
	ws := widths(t)
	n := 100_000
	if s := os.Getenv("UDL_RANDOM_BLOCKS"); s != "" {
		n, _ = strconv.Atoi(s)
	} else if testing.Short() {
		n = 5000
	}
	for part := range uint64(2) {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(1, part))
			for i := range n / 2 {
				size := 2 + r.IntN(14)
				if i%100 == 0 {
					size = 100 + r.IntN(150)
				}
				b, err := random.Block(r, size)
				if err != nil {
					t.Fatal(err)
				}
				w := ws[i%len(ws)]
				groups := []int{1, 1, 2, random.MaxGroups}[r.IntN(4)]
				if !agree(t, b, w, groups, r.IntN(2) == 0, random.Data(r, w)) {
					return
				}
			}
		})
	}
}
