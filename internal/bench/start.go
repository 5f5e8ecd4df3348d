package main

import (
	"fmt"
	"os/exec"
	"time"
)

// start measures the command on the gallery's first model, from the start of the process to its end, in milliseconds.
func start(l *lab, rounds int) (figure, error) {
	bin, err := l.command()
	if err != nil {
		return figure{}, err
	}
	var ms []float64
	for i := range rounds + 1 {
		cmd := exec.Command(bin, "run", "models/lotka_volterra.udl", "--set", "training=0")
		cmd.Dir = l.root
		begin := time.Now()
		out, err := cmd.CombinedOutput()
		if err != nil {
			return figure{}, fmt.Errorf("udl run models/lotka_volterra.udl: %w\n%s", err, out)
		}
		if i > 0 { // the first one reads the file from disk
			ms = append(ms, float64(time.Since(begin))/1e6)
		}
	}
	return spread(ms), nil
}
