package block

import "math"

// bitsOf and num pass between a number and its bits.
func bitsOf(x float64) uint64 { return math.Float64bits(x) }
func num(x uint64) float64    { return math.Float64frombits(x) }

// set and truth pass between a lane of a mask, which is all ones or all zeros, and a truth value.
func set(x float64) bool { return bitsOf(x) != 0 }

func truth(b bool) float64 {
	if b {
		return num(math.MaxUint64)
	}
	return 0
}

// apply is the meaning of an operation that touches no memory, on some lanes. All slices have the length of d. Each case is a loop of its own
// over one operation, so that no compiler has two operations at hand to fuse.
func apply(in *Instr, d, a, b, c []float64) {
	n := len(d)
	a, b, c = a[:n], b[:n], c[:n]
	switch in.Op {
	case OpAdd:
		for i := range d {
			d[i] = a[i] + b[i]
		}
	case OpSub:
		for i := range d {
			d[i] = a[i] - b[i]
		}
	case OpMul:
		for i := range d {
			d[i] = a[i] * b[i]
		}
	case OpDiv:
		for i := range d {
			d[i] = a[i] / b[i]
		}
	case OpMin:
		for i := range d {
			if d[i] = b[i]; a[i] < b[i] {
				d[i] = a[i]
			}
		}
	case OpMax:
		for i := range d {
			if d[i] = b[i]; a[i] > b[i] {
				d[i] = a[i]
			}
		}
	case OpFMA:
		for i := range d {
			d[i] = math.FMA(a[i], b[i], c[i])
		}
	case OpFMS:
		for i := range d {
			d[i] = math.FMA(a[i], b[i], -c[i])
		}
	case OpFNMA:
		for i := range d {
			d[i] = math.FMA(-a[i], b[i], c[i])
		}
	case OpFNMS:
		for i := range d {
			d[i] = math.FMA(-a[i], b[i], -c[i])
		}
	case OpNeg:
		for i := range d {
			d[i] = -a[i]
		}
	case OpAbs:
		for i := range d {
			d[i] = math.Abs(a[i])
		}
	case OpSqrt:
		for i := range d {
			d[i] = math.Sqrt(a[i])
		}
	case OpRound:
		round(in.Mode, d, a)
	case OpSelect, OpCold:
		for i := range d {
			if d[i] = c[i]; set(a[i]) {
				d[i] = b[i]
			}
		}
	case OpCmp:
		compare(Pred(in.Mode), d, a, b)
	default:
		bitwise(in, d, a, b)
	}
}

func round(mode uint8, d, a []float64) {
	switch mode {
	case ToEven:
		for i := range d {
			d[i] = math.RoundToEven(a[i])
		}
	case ToFloor:
		for i := range d {
			d[i] = math.Floor(a[i])
		}
	case ToCeil:
		for i := range d {
			d[i] = math.Ceil(a[i])
		}
	default:
		for i := range d {
			d[i] = math.Trunc(a[i])
		}
	}
}

func compare(p Pred, d, a, b []float64) {
	switch p &^ 4 {
	case EQ:
		for i := range d {
			d[i] = truth(a[i] == b[i])
		}
	case LT:
		for i := range d {
			d[i] = truth(a[i] < b[i])
		}
	case LE:
		for i := range d {
			d[i] = truth(a[i] <= b[i])
		}
	default:
		for i := range d {
			d[i] = truth(a[i] != a[i] || b[i] != b[i])
		}
	}
	if p&4 != 0 {
		for i := range d {
			d[i] = num(^bitsOf(d[i]))
		}
	}
}

func bitwise(in *Instr, d, a, b []float64) {
	switch in.Op {
	case OpAnd, OpMaskAnd:
		for i := range d {
			d[i] = num(bitsOf(a[i]) & bitsOf(b[i]))
		}
	case OpAndNot, OpMaskAndNot:
		for i := range d {
			d[i] = num(^bitsOf(a[i]) & bitsOf(b[i]))
		}
	case OpOr, OpMaskOr:
		for i := range d {
			d[i] = num(bitsOf(a[i]) | bitsOf(b[i]))
		}
	case OpXor, OpMaskXor:
		for i := range d {
			d[i] = num(bitsOf(a[i]) ^ bitsOf(b[i]))
		}
	case OpAddQ:
		for i := range d {
			d[i] = num(bitsOf(a[i]) + bitsOf(b[i]))
		}
	case OpSubQ:
		for i := range d {
			d[i] = num(bitsOf(a[i]) - bitsOf(b[i]))
		}
	case OpShiftLeft:
		for i := range d {
			d[i] = num(bitsOf(a[i]) << (in.Mode & 63))
		}
	case OpShiftRight:
		for i := range d {
			d[i] = num(bitsOf(a[i]) >> (in.Mode & 63))
		}
	case OpMaskNot:
		for i := range d {
			d[i] = num(^bitsOf(a[i]))
		}
	}
}
