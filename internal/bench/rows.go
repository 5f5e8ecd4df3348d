package main

// row is one figure.
type row struct {
	name   string
	what   string // what is compared with what, for the note
	unit   string // "" for a ratio
	target bound
	measure
}

// rows is THE table of figures.
var rows = []row{
	{"rhs/lv", "one right-hand side of Lotka–Volterra, udl / C through a function pointer", "", atMost(1.1),
		ratio(meter{udl, "rhs/lv"}, exactly, meter{inC, "rhs/lv"})},
	{"rhs/ude", "known linear terms and a network 2-5-5-2 with tanh", "", atMost(0.7),
		ratio(meter{udl, "rhs/ude"}, exactly, meter{inC, "rhs/ude"})},
	{"rhs/node50", "a network 2-50-2 on the cubes of the state", "", atMost(0.35),
		ratio(meter{udl, "rhs/node50"}, exactly, meter{inC, "rhs/node50"})},
	{"rhs/pollu", "air pollution, 20 species in 25 reactions", "", atMost(1.1),
		ratio(meter{udl, "rhs/pollu"}, exactly, meter{inC, "rhs/pollu"})},
	{"rhs/pollu-scalar", "the same against C with gcc's packing of scalars into vectors turned off, which is faster", "", bound{},
		ratio(meter{udl, "rhs/pollu"}, exactly, meter{inC, "rhs-scalar/pollu"})},
	{"rhs/bruss32", "the Brusselator on a periodic grid of 32 by 32, udl / C without a modulo in its inner loop", "", atMost(1.2),
		ratio(meter{udl, "rhs/bruss32"}, exactly, meter{inC, "rhs/bruss32"})},

	{"step/lv", "an attempted step of Tsit5 on Lotka–Volterra, rtol = atol = 1e-8, t = 0..10, the end point alone, udl / a generic solver in C", "", atMost(0.75),
		ratio(meter{udl, "step/lv"}, solved, meter{inC, "step/lv"})},
	{"step/lv-specialised", "the same against C with two states and the right-hand side known to the compiler", "", bound{},
		ratio(meter{udl, "step/lv"}, solved, meter{inC, "step-specialised/lv"})},
	{"ensemble/lv", "10,000 such solves with other parameters on two threads, per trajectory, udl / the better of both C solvers on two threads", "", atMost(0.12),
		few(5, ratio(meter{udl, "ensemble/lvs"}, solved, meter{inC, "ensemble/lvs"}, meter{inC, "ensemble-specialised/lvs"}))},

	{"grad/ude", "the gradient of a sum of squares at 30 times by the discrete adjoint / its own solve", "", atMost(3.5),
		ratio(meter{udl, "grad/ude"}, exactly, meter{udl, "value/ude"})},
	{"vjp/ude", "both products with the transposed Jacobians of that right-hand side, udl / C by hand", "", atMost(0.85),
		ratio(meter{udl, "vjp/ude"}, exactly, meter{inC, "vjp/ude"})},
	{"train/spiral", "the fit of models/spiral.udl, a network 2-50-2 on 30 points, 500 steps of Adam; the target is 0.15 s where C's right-hand side takes 0.6 µs", "s", atMost(0.15),
		few(5, training(0.15))},
	{"train/neural_ode", "a step of the fit of models/neural_ode.udl: the gradient over 32 trajectories of a network 2-64-64-2, 500 steps on 10 points of each and 500 on 100, on all cores", "ms", bound{},
		few(3, perStep("neural_ode", 1000, 2e-3))},

	{"cvode/robertson", "Robertson's reaction, the Oregonator, van der Pol's oscillator, HIRES and POLLU by the best of udl's solvers / by CVODE, time to the same error at the end", "", atMost(0.15), few(7, against("robertson"))},
	{"cvode/orego", "", "", atMost(0.3), few(7, against("orego"))},
	{"cvode/vdpol", "", "", atMost(0.3), few(7, against("vdpol"))},
	{"cvode/hires", "", "", atMost(0.4), few(7, against("hires"))},
	{"cvode/pollu", "", "", atMost(0.6), few(7, against("pollu"))},
	{"cvode/bruss1d", "the Brusselator with diffusion on 200 points of a line", "", atMost(0.8), few(7, against("bruss1d"))},
	{"cvode/bruss2d", "that on 64 by 64 points of a periodic square", "", atMost(0.8), few(2, against("bruss2d"))},

	{"no-native/rhs/lv", "without generated code (UDL_NATIVE=off) / with", "", atMost(3),
		ratio(meter{off, "rhs/lv"}, exactly, meter{udl, "rhs/lv"})},
	{"no-native/rhs/ude", "", "", atMost(3),
		ratio(meter{off, "rhs/ude"}, exactly, meter{udl, "rhs/ude"})},
	{"no-native/rhs/node50", "", "", atMost(3),
		ratio(meter{off, "rhs/node50"}, exactly, meter{udl, "rhs/node50"})},
	{"no-native/step/lv", "", "", bound{},
		ratio(meter{off, "step/lv"}, solved, meter{udl, "step/lv"})},
	{"no-native/train/spiral", "", "", bound{},
		few(3, ratio(meter{off, "train/spiral"}, trained, meter{udl, "train/spiral"}))},
	{"pure-go/rhs/lv", "without generated code and without assembly (UDL_KERNELS=off too) / with both", "", atMost(12),
		ratio(meter{pureGo, "rhs/lv"}, exactly, meter{udl, "rhs/lv"})},
	{"pure-go/rhs/ude", "", "", atMost(12),
		ratio(meter{pureGo, "rhs/ude"}, exactly, meter{udl, "rhs/ude"})},
	{"pure-go/rhs/node50", "", "", atMost(12),
		ratio(meter{pureGo, "rhs/node50"}, exactly, meter{udl, "rhs/node50"})},
	{"pure-go/step/lv", "", "", bound{},
		ratio(meter{pureGo, "step/lv"}, solved, meter{udl, "step/lv"})},
	{"pure-go/train/spiral", "", "", bound{},
		few(3, ratio(meter{pureGo, "train/spiral"}, trained, meter{udl, "train/spiral"}))},

	{"start/lv", "`udl run models/lotka_volterra.udl --set training=0`, from the start of the process to its end", "ms", atMost(20), start},
	{"big/parse", "a model of 1,000 equations with 1,000 parameters: parsing", "ms", atMost(100), few(9, largeParse)},
	{"big/compile", "checking and compiling it", "ms", atMost(100), few(9, largeCompile(false))},
	{"big/first", "its first evaluation, with the attempt to generate code", "ms", bound{}, few(9, largeCompile(true))},
	{"gallery/compile", "checking and compiling a model of the gallery: the slowest", "ms", atMost(1), galleryCompile(false)},
	{"gallery/first", "the first evaluation of a model of the gallery, generating code: the slowest", "ms", bound{}, galleryCompile(true)},

	{"allocs/rhs", "allocations of one call", "allocations", atMost(0), allocated([]string{"lv", "ude", "node50", "pollu", "bruss32", "dense64"}, rhsAllocs)},
	{"allocs/jvp", "", "allocations", atMost(0), allocated([]string{"lv", "ude", "node50", "pollu", "bruss32", "dense64"}, jvpAllocs)},
	{"allocs/vjp", "", "allocations", atMost(0), allocated([]string{"lv", "ude", "node50", "pollu", "bruss32", "dense64"}, vjpAllocs)},
	{"allocs/step", "allocations of a whole solve in a workspace that was used before", "allocations", atMost(0), allocated([]string{"lv", "ude", "node50"}, stepAllocs)},

	{"dense/16", "one layer of as many units with tanh on as many inputs: its multiplications and additions as a fraction of those of chains of fused multiply-adds in C", "of peak", atLeast(0.5), layer(16)},
	{"dense/64", "", "of peak", atLeast(0.5), layer(64)},
	{"dense/128", "", "of peak", atLeast(0.5), layer(128)},
	{"dense/256", "", "of peak", atLeast(0.5), layer(256)},
}
