package solve

import (
	"github.com/udl-lang/udl/runtime/method"
	"os"
	"strconv"
	"strings"
)

func init() {
	for _, kv := range strings.Fields(os.Getenv("KNOB")) {
		k, v, _ := strings.Cut(kv, "=")
		x, _ := strconv.ParseFloat(v, 64)
		switch k {
		case "bm":
			bdfBias[0] = x
		case "b0":
			bdfBias[1] = x
		case "bp":
			bdfBias[2] = x
		case "grow":
			bdfGrow = x
		case "shrink":
			bdfShrink = x
		case "max":
			bdfMax = x
		case "tol":
			newtonTol = x
		case "nsteps":
			newtonSteps = int(x)
		case "drift":
			newtonDrift = x
		case "old":
			newtonOld = int(x)
		case "used":
			newtonUsed = int(x)
		case "rate0":
			newtonRate0 = x
		case "decay":
			newtonDecay = x
		case "keep":
			bdfKeep = x
		case "strict":
			bdfStrict = x
		case "pow":
			bdfPow = x
		case "wait":
			bdfWait = int(x)
		case "kappa":
			m, _ := method.Find("BDF")
			b := m.(*method.BDF)
			b.Kappa = []float64{0, -0.1850 * x, -1.0 / 9 * x, -0.0823 * x, -0.0415 * x, 0}
		default:
			panic(k)
		}
	}
}
