package main

import (
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/udl-lang/udl/stdlib/eval"
)

// progress draws the course of long computations into a terminal. A computation has one bar, which is cleared at its end, so
// that nothing of it stays among the results; that of a training goes over all its stages, phases and starts.
type progress struct {
	w     io.Writer
	width int
	bar   *progressbar.ProgressBar
	what  string
	room  int // for the text before the bar
	last  time.Time
}

// A bar that is drawn more often than one can see costs more than a small fit.
const redraw = 50 * time.Millisecond

func (p *progress) report(r eval.Progress) {
	made, total := r.Iter, r.Total
	if r.Fit != nil {
		made, total = r.Fit.Made, r.Fit.All
	}
	if p.bar == nil || r.What != p.what {
		p.clear()
		p.what, p.last = r.What, time.Time{}
		n := int64(total)
		if n <= 0 {
			n = -1 // a spinner
		}
		// Beside the text there are the percentage, the bar and the counts; of what is no training, also the times. A line that wraps could not be cleared.
		beside := 10 + 2*len(fmt.Sprint(total))
		if r.Fit == nil {
			beside += 22
		}
		bar := max(4, min(20, p.width-len(r.What)-beside-50))
		p.room = max(len(r.What), p.width-beside-bar)
		p.bar = progressbar.NewOptions64(n,
			progressbar.OptionSetWriter(p.w),
			progressbar.OptionSetWidth(bar),
			progressbar.OptionShowCount(),
			progressbar.OptionSetPredictTime(r.Fit == nil),
			progressbar.OptionSetElapsedTime(r.Fit == nil),
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
		p.bar.Describe(fitting(p.room, parts(r)))
		_ = p.bar.Set(min(made, max(total, 1)))
	}
}

// parts are what is said of a computation, the most important first.
func parts(r eval.Progress) []string {
	what := strings.TrimSpace(r.What + " " + r.Stage)
	if math.IsNaN(r.Best) { // an ensemble has no loss
		return []string{what}
	}
	out := []string{what, fmt.Sprintf("loss %.6g", r.Best)}
	f := r.Fit
	if f == nil {
		return out
	}
	if f.Left > 0 {
		out = append(out, spoken(f.Left)+" left")
	}
	if !math.IsNaN(f.GradNorm) {
		out = append(out, fmt.Sprintf("gradient %.2g", f.GradNorm))
	}
	if f.Starts > 1 {
		out = append(out, fmt.Sprintf("start %d of %d", f.Start+1, f.Starts))
	}
	if f.Phases > 1 && f.Method != "" {
		out = append(out, f.Method)
	}
	return out
}

// fitting joins the parts that there is room for.
func fitting(room int, parts []string) string {
	s := parts[0]
	for _, p := range parts[1:] {
		if len([]rune(s))+2+len([]rune(p)) > room {
			break
		}
		s += "  " + p
	}
	return s
}

// spoken is a time to two or three figures: "50s", "3m10s", "2h05m".
func spoken(d time.Duration) string {
	switch s := d.Seconds(); {
	case s < 9.5:
		return fmt.Sprintf("%.0fs", math.Max(s, 1))
	case s < 60:
		return fmt.Sprintf("%.0fs", 5*math.Ceil(s/5))
	case s < 3600:
		m := int(d.Minutes())
		return fmt.Sprintf("%dm%02ds", m, int(s)-60*m)
	case s < 100*3600:
		h := int(d.Hours())
		return fmt.Sprintf("%dh%02dm", h, int(d.Minutes())-60*h)
	}
	return fmt.Sprintf("%.0f days", math.Ceil(d.Hours()/24))
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
