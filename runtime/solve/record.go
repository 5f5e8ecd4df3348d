package solve

import "math/bits"

// record keeps the accepted steps for dense output and for gradients: per step its start t,
// its length h, a tag, the state at the start and what the method interpolates from: stages, differences. Blocks that double in size make the cost
// of growing vanish per step without ever moving what is there. Of a run longer than memory it holds a stretch of steps, those from base on.
type record struct {
	nx, width int // of the state, of what the method adds
	base      int // the step that comes first
	n         int // steps
	room      int // steps that the blocks have room for
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
	r.base, r.n = 0, 0
}

// allow follows another limit: what was kept from a problem that was allowed more goes, and so does a last block that was cut where there is room now.
func (r *record) allow(limit int64) {
	if r.used > limit {
		*r = record{nx: r.nx, width: r.width}
		return
	}
	size := int64(8 * r.stride())
	if _, cut := place(r.room); cut > 0 && limit-r.used >= size {
		r.blocks = r.blocks[:len(r.blocks)-1]
		r.used -= int64(cut) * size
		r.room -= cut
	}
}

func (r *record) stride() int { return recHead + r.nx + r.width }

// end is the number of the step after the last.
func (r *record) end() int { return r.base + r.n }

func place(n int) (block, off int) {
	block = bits.Len(uint(n/firstBlock+1)) - 1
	return block, n - firstBlock*(1<<block-1)
}

// add gives the row for one more step; nil when it would take more than limit bytes.
func (r *record) add(limit int64) []float64 {
	if r.n == r.room && !r.grow(limit) {
		return nil
	}
	r.n++
	return r.row(r.base + r.n - 1)
}

// grow makes room for more steps; it is false where they would take more than limit bytes.
func (r *record) grow(limit int64) bool {
	b, off := place(r.room)
	if off != 0 {
		return false // the last block was cut
	}
	steps, size := int64(firstBlock<<b), int64(8*r.stride())
	// The last block is cut to what the limit leaves.
	if steps = min(steps, (limit-r.used)/size); steps <= 0 {
		return false
	}
	r.blocks = append(r.blocks, make([]float64, int(steps)*r.stride()))
	r.used += steps * size
	r.room += int(steps)
	return true
}

// row is that of step n, of which base is the first.
func (r *record) row(n int) []float64 {
	b, off := place(n - r.base)
	lo := off * r.stride()
	return r.blocks[b][lo : lo+r.stride()]
}
