package method

// Adams is the variable-order, variable-step Adams–Bashforth–Moulton family in PECE mode. With a constant step its predictor of order k is
// x_n + h Σ_{j<k} Gamma[j] ∇^j f_n, its corrector of order k + 1 adds h Gamma[k] ∇^k f^P_{n+1}; steps that vary need the divided differences of the paper, which
// replace these figures by others computed at each step, and start from order 1.
//
// L. F. Shampine, M. K. Gordon, Computer Solution of Ordinary Differential Equations: The Initial Value Problem, Freeman 1975; E. Hairer, S. P. Nørsett,
// G. Wanner, Solving Ordinary Differential Equations I, 2nd edition, Springer 1993, sections III.1 and III.5.
type Adams struct {
	Name     string
	MaxOrder int
	// Gamma and GammaStar, index 0 to MaxOrder + 1, are the coefficients of the explicit and of the implicit methods: the error of the explicit method of order k
	// is Gamma[k] h^(k+1) x^(k+1), that of the implicit one GammaStar[k] h^(k+1) x^(k+1).
	Gamma, GammaStar []float64

	Doc, Cite string
}

// Info implements Method.
func (m *Adams) Info() Info {
	return Info{Name: m.Name, Family: ExplicitMultistep, Order: m.MaxOrder, Dense: m.MaxOrder, Adaptive: true, Stability: "explicit", Doc: m.Doc, Cite: m.Cite}
}

var vcabm = Adams{
	Name:     "VCABM",
	MaxOrder: 12,
	Gamma: []float64{1, 1. / 2, 5. / 12, 3. / 8, 251. / 720, 95. / 288, 19087. / 60480, 5257. / 17280, 1070017. / 3628800, 25713. / 89600, 26842253. / 95800320,
		4777223. / 17418240, 703604254357. / 2615348736000, 106364763817. / 402361344000},
	GammaStar: []float64{1, -1. / 2, -1. / 12, -1. / 24, -19. / 720, -3. / 160, -863. / 60480, -275. / 24192, -33953. / 3628800, -8183. / 1036800,
		-3250433. / 479001600, -4671. / 788480, -13695779093. / 2615348736000, -2224234463. / 475517952000},
	Doc: "Adams methods of orders 1 to 12, two evaluations a step whatever the order: non-stiff problems whose right-hand side is costly, at tolerances of 1e-6 and " +
		"below, with smooth solutions. A fixed step begins at order 1 all the same.",
	Cite: "Shampine, Gordon, Computer Solution of Ordinary Differential Equations, Freeman 1975",
}
