package train

import "time"

// pace says how long the rest of a training will take, from the last iterations. It looks at the clock, so nothing that a result depends on may look at it.
type pace struct {
	last  time.Time
	stage int
	each  float64 // seconds of an iteration, a running mean
}

// smoothing is the share of the latest iteration in the mean: line searches take now one evaluation, now ten.
const smoothing = 0.1

// tick is told of each iteration, and gives the time that one takes, 0 while that is not known.
func (p *pace) tick(at Point) time.Duration {
	now := time.Now()
	if !p.last.IsZero() {
		took := now.Sub(p.last).Seconds()
		if p.each == 0 || at.Stage != p.stage { // another optimiser has a pace of its own
			p.each, p.stage = took, at.Stage
		}
		p.each += smoothing * (took - p.each)
	}
	p.last = now
	return time.Duration(p.each * float64(time.Second))
}

// left fills in the time that the rest takes on some threads, each with fits of its own.
func (g *Progress) left(threads int) {
	g.Left = time.Duration(float64(g.each) * float64(max(g.All-g.Made, 0)) / float64(max(threads, 1)))
}

// itersOf is how many iterations stages have at most.
func itersOf(stages []Stage) int {
	n := 0
	for i := range stages {
		n += stages[i].Iters()
	}
	return n
}
