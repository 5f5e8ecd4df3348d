package diag

// Discovery.
var discoverCodes = []Row{
	{"E0810", "a term that cannot be a candidate", "Candidate terms are expressions of the inputs, numbers for each point: `x*y`, `exp(-x)`. Families are poly(n), fourier(n) and functions of one number by name.",
		"data = {t: [0, 1, 2, 3, 4, 5], x: [1, 2, 4, 8, 16, 32]}\nprint(discover(data, basis = [x, z]))"},
	{"E0811", "no such unknown function", "What is discovered, or replaced, is an unknown function of the model, by its name; those in place are `NN1`, `NN2`, ….",
		"model M { state x = 1; unknown f(x) = poly(2); x' = f(x) }\nput_back(M, g = x -> x)"},
	{"E0812", "a formula that does not fit", "What takes the place of an unknown function must have its inputs and outputs, and fit the units of the model. Names that it has of the script must not mean something else in the model.",
		"model M { state x = 1; unknown f(x) = poly(2); x' = f(x) }\nput_back(M, f = x -> [x, x])"},
	{"E0813", "nothing can be discovered here", "The inputs of the unknown function must be states, lets or parameters, and what is regressed must be numbers at all points.",
		"model M { state x = 1; unknown f(x) = poly(2); x' = f(2*x) }\ndiscover(M, \"f\", t = 0..1)"},
}
