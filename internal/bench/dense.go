package main

import (
	"errors"
	"fmt"
)

// layer measures the layer of n units as a fraction of the fused multiply-adds that the processor could do, and says what of
// them reading the matrix leaves: each number of it is used once, so that two operations need eight bytes.
func layer(n int) measure {
	return func(l *lab, rounds int) (figure, error) {
		name := fmt.Sprintf("dense%d", n)
		flops := 2 * float64(n) * float64(n) // tanh is not counted
		var peaks, reads, gflops, cs, fractions []float64
		for range rounds {
			u, err := l.measure(meter{udl, "rhs/" + name})
			if err != nil {
				return figure{}, err
			}
			gflops = append(gflops, flops/u.each())
			peak, err := l.measure(meter{inC, "fma/lv"})
			if errors.Is(err, errNoC) {
				continue
			}
			if err != nil {
				return figure{}, err
			}
			read, err := l.measure(meter{inC, "read/" + name})
			if err != nil {
				return figure{}, err
			}
			c, err := l.measure(meter{inC, "rhs/" + name})
			if err != nil {
				return figure{}, err
			}
			if err := agree(meter{udl, "rhs/" + name}, meter{inC, "rhs/" + name}, u.values, c.values, exactly); err != nil {
				return figure{}, err
			}
			peaks, reads, cs = append(peaks, 1/peak.each()), append(reads, 1/read.each()), append(cs, flops/c.each())
			fractions = append(fractions, flops/u.each()*peak.each())
		}
		if len(peaks) == 0 {
			return figure{absent: "no C", detail: fmt.Sprintf("udl %.3g GFLOP/s", median(gflops))}, nil
		}
		f := spread(fractions)
		allowed := min(1, median(reads)/4/median(peaks))
		f.detail = fmt.Sprintf("udl %.3g, C %.3g, peak %.3g GFLOP/s; the matrix, %d kB, is read at %.3g GB/s, which allows %.2f of the peak: udl has %.2f of that",
			median(gflops), median(cs), median(peaks), n*n*8/1024, median(reads), allowed, f.median/allowed)
		return f, nil
	}
}
