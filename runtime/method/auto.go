package method

// Auto is no method but a choice of methods by the problem, which switches between an explicit and an implicit one as the problem turns stiff and back.
type Auto struct{}

// Info implements Method.
func (Auto) Info() Info {
	return Info{Name: "auto", Family: Automatic, Order: 5, Adaptive: true, Mass: true, Stability: "that of what it chooses",
		Doc:  "An explicit method while the problem is not stiff, an implicit one while it is, chosen by size, structure of the Jacobian, tolerance and mass matrix; `s.stats` says what it chose and why.",
		Cite: "Shampine, ACM Transactions on Mathematical Software 3 (1977) 44–53; Petzold, SIAM Journal on Scientific and Statistical Computing 4 (1983) 136–148"}
}
