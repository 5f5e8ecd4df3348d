package solve

import "github.com/udl-lang/udl/runtime/method"

// Scheme is a method prepared for stepping: its rows without their zeros. It is immutable and
// may be shared.
type Scheme struct {
	Method *method.RK
	// End is the stage that is f at the new point, −1 if there is none.
	End int

	stages []combo // point of stage i
	b, e   combo   // weights of the step, of the error
	dense  []int   // the stages of the continuous extension
}

// combo is a linear combination of stages.
type combo struct {
	idx []int
	w   []float64
}

func newCombo(w []float64) combo {
	var c combo
	for i, v := range w {
		if v != 0 {
			c.idx, c.w = append(c.idx, i), append(c.w, v)
		}
	}
	return c
}

// NewScheme prepares a method.
func NewScheme(m *method.RK) *Scheme {
	s := &Scheme{Method: m, End: m.EndStage(), b: newCombo(m.B), e: newCombo(m.E)}
	for _, row := range m.A {
		s.stages = append(s.stages, newCombo(row))
	}
	for i, row := range m.Dense {
		for _, v := range row {
			if v != 0 {
				s.dense = append(s.dense, i)
				break
			}
		}
	}
	return s
}

// Stages is how many stages there are, with those of the continuous extension alone.
func (s *Scheme) Stages() int { return len(s.stages) }

// Extra reports whether the continuous extension needs stages that the step does not.
func (s *Scheme) Extra() bool { return len(s.stages) > s.Method.Stages }

// StagePoint writes the point at which stage i is f: x + h Σ_j A[i][j] k_j. All slices have the
// length of the state, k one entry per stage.
func (s *Scheme) StagePoint(i int, out, x []float64, h float64, k [][]float64) {
	c := &s.stages[i]
	combine(out, x, h, c.w, c.idx, k)
}

// StageTime is the time of stage i of a step from t to t1 = t + h. The end is the given t1, so
// that nothing is ever evaluated beyond it.
func (s *Scheme) StageTime(i int, t, h, t1 float64) float64 {
	switch c := s.Method.C[i]; c {
	case 0:
		return t
	case 1:
		return t1
	default:
		return t + c*h
	}
}

// StageWeights are the stages j and weights A[i][j] ≠ 0 of stage i. Read only.
func (s *Scheme) StageWeights(i int) (idx []int, w []float64) {
	return s.stages[i].idx, s.stages[i].w
}

// StepWeights are the stages i and weights B[i] ≠ 0 of the step. Read only.
func (s *Scheme) StepWeights() (idx []int, w []float64) { return s.b.idx, s.b.w }

// DenseWeights writes b_i(θ) into w, for the stages i of idx in this order; θ runs from 0 to 1
// over the step. w needs room for Stages entries.
func (s *Scheme) DenseWeights(theta float64, w []float64) (idx []int) {
	if mid := s.Method.DenseMid; mid != nil {
		for n, i := range s.dense {
			p := mid[i]
			v := 0.0
			for m := len(p) - 1; m >= 0; m-- {
				v = v*(theta-0.5) + p[m]
			}
			w[n] = v
		}
		return s.dense
	}
	for n, i := range s.dense {
		w[n] = method.DenseWeight(s.Method.Dense[i], theta)
	}
	return s.dense
}

// Dense writes x(t + θh) = x + h Σ_i b_i(θ) k_i. w is scratch of Stages entries.
func (s *Scheme) Dense(theta float64, out, x []float64, h float64, k [][]float64, w []float64) {
	idx := s.DenseWeights(theta, w)
	combine(out, x, h, w[:len(idx)], idx, k)
}
