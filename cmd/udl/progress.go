package main

import (
	"fmt"
	"io"
	"math"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/udl-lang/udl/stdlib/eval"
)

// progress draws the course of long computations into a terminal. Every stage has a bar of its
// own, which is cleared at its end, so that nothing of it stays among the results.
type progress struct {
	w     io.Writer
	width int
	bar   *progressbar.ProgressBar
	stage string
	last  time.Time
}

// A bar that is drawn more often than one can see costs more than a small fit.
const redraw = 50 * time.Millisecond

func (p *progress) report(r eval.Progress) {
	stage := r.What + " " + r.Stage
	if p.bar == nil || stage != p.stage {
		p.clear()
		total := int64(r.Total)
		if total <= 0 {
			total = -1 // a spinner
		}
		p.stage, p.last = stage, time.Time{}
		p.bar = progressbar.NewOptions64(total,
			progressbar.OptionSetWriter(p.w),
			// What stands beside the bar takes 56 characters at most; a line that wraps could not be cleared.
			progressbar.OptionSetWidth(max(4, min(30, p.width-len(stage)-56))),
			progressbar.OptionShowCount(),
			progressbar.OptionSetPredictTime(true),
			progressbar.OptionClearOnFinish(),
			progressbar.OptionThrottle(0), // ours is above
			progressbar.OptionSetRenderBlankState(false),
		)
	}
	if r.Done {
		p.clear()
		return
	}
	if now := time.Now(); now.Sub(p.last) >= redraw {
		p.last = now
		if !math.IsNaN(r.Best) { // an ensemble has no loss
			stage = fmt.Sprintf("%s  loss %.6g", stage, r.Best)
		}
		p.bar.Describe(stage)
		_ = p.bar.Set(r.Iter) // an Iter beyond Total is no reason to stop
	}
}

// clear takes the bar off the screen.
func (p *progress) clear() {
	if p.bar != nil {
		_ = p.bar.Clear()
		_ = p.bar.Exit()
		p.bar = nil
	}
}

// above is a writer whose text stands above the bar, not behind it.
func (p *progress) above(w io.Writer) io.Writer { return above{p, w} }

type above struct {
	p *progress
	w io.Writer
}

func (a above) Write(b []byte) (int, error) {
	a.p.clear()
	return a.w.Write(b)
}
