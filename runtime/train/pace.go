package train

import "time"

// pace says how long the rest of a training will take, from the last iterations. It looks at the clock, so nothing that a result depends on may look at it.
type pace struct {
	last  time.Time
	stage int
	each  float64 // seconds of an iteration, a running mean
}

// The mean forgets in about as many seconds, so that neither a pause of the collector nor a line search of ten evaluations makes it jump; the latest
// iteration has a share between these.
const forget = 4.0

var smoothing = [2]float64{0.005, 0.2}

// tick is told of each iteration, and gives the time that one takes, 0 while that is not known.
func (p *pace) tick(at Point) time.Duration {
	now := time.Now()
	if !p.last.IsZero() {
		took := now.Sub(p.last).Seconds()
		if p.each == 0 || at.Stage != p.stage { // another optimiser has a pace of its own
			p.each, p.stage = took, at.Stage
		}
		p.each += min(max(took/forget, smoothing[0]), smoothing[1]) * (took - p.each)
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
