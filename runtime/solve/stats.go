package solve

// Stats counts the work of an integration.
type Stats struct {
	Steps    int     // accepted
	Rejected int     // rejected by the error, or for values that are not finite
	Evals    int     // of the right-hand side
	First    float64 // the first accepted step, positive
	Smallest float64 // the smallest accepted step but the last, which the end may cut; positive
	Largest  float64
	Events   int  // that fired
	Jumps    int  // in the right-hand side
	Whole    bool // the steps were made by code compiled with the model in one piece

	// Where memory did not hold all steps:
	Checkpoints int // that were set on the way
	Repeated    int // steps that were made again, as far as Recall has been asked for them

	// Of methods that solve equations in each step:
	Jacobians int    // evaluations of ∂f/∂x
	Factors   int    // factorisations of the iteration matrix
	Newton    int    // iterations of Newton's method
	Failed    int    // steps that Newton's method did not solve
	Krylov    int    // products of the iteration matrix with vectors, where linear equations are solved iteratively
	Linear    string // how the linear equations are solved, and why so

	// Of a solver that is chosen by the problem:
	Chosen   string // which methods, and why
	Switches int    // from one method to another

	// Of a solve that a gradient was taken of:
	Adjoint    string  // by which method, and why; "" where the method is the one that was named
	Backward   int     // accepted steps of the integration backwards, of the continuous adjoints
	DepartedBy float64 // the same in tolerances
	Departed   string  // how far the states integrated backwards went from these, where that is too far; "" for nothing to tell
}

// Switch is a change from one method to another within an integration.
type Switch struct {
	T      float64
	Method string // from here on
}
