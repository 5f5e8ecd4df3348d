package solve

import "math/bits"

// record keeps the accepted steps for dense output and for gradients: per step its start t,
// its length h, a tag, the state at the start and what the method interpolates from: stages, differences. Blocks that double in size make the cost
// of growing vanish per step without ever moving what is there.
type record struct {
	nx, width int // of the state, of what the method adds
	n         int // steps
	blocks    [][]float64
	used      int64 // bytes
}

// The bits of a step's tag.
const (
	tagEngine = 1 // made by the engine, not by the explicit Runge–Kutta method
	tagCut    = 2 // ended before t + h, by an event
)

// recHead is how many numbers stand before the state.
const recHead = 3

// firstBlock is how many steps the first block holds; block b holds firstBlock·2^b.
const firstBlock = 16

func (r *record) reset(nx, width int) {
	if r.nx != nx || r.width != width {
		*r = record{nx: nx, width: width}
	}
	r.n = 0
}

func (r *record) stride() int { return recHead + r.nx + r.width }

func place(n int) (block, off int) {
	block = bits.Len(uint(n/firstBlock+1)) - 1
	return block, n - firstBlock*(1<<block-1)
}

// add gives the row for one more step; nil when it would take more than limit bytes.
func (r *record) add(limit int64) []float64 {
	b, off := place(r.n)
	if b == len(r.blocks) {
		steps, size := int64(firstBlock<<b), int64(8*r.stride())
		// The last block is cut to what the limit leaves.
		if steps = min(steps, (limit-r.used)/size); steps <= 0 {
			return nil
		}
		r.blocks = append(r.blocks, make([]float64, int(steps)*r.stride()))
		r.used += steps * size
	}
	lo := off * r.stride()
	if lo+r.stride() > len(r.blocks[b]) {
		return nil
	}
	r.n++
	return r.blocks[b][lo : lo+r.stride()]
}

func (r *record) row(n int) []float64 {
	b, off := place(n)
	lo := off * r.stride()
	return r.blocks[b][lo : lo+r.stride()]
}
