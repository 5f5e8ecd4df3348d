package verb

import (
	"strings"

	"github.com/udl-lang/udl/lang/sig"
	"github.com/udl-lang/udl/runtime/method"
)

// What the options that several verbs share say.
var (
	optT       = arg("t", "range of times", "none", "0..10 by 0.1, 0..10 at [1, 5, 10], or 0..10 for every step")
	needT      = arg("t", "range of times", "", "0..10 by 0.1, 0..10 at [1, 5, 10], or 0..10 for every step")
	needTimes  = arg("t", "range of times", "", "0..10 by 0.1, or 0..10 at [1, 5, 10]; 0..10 alone is the start and the end")
	optThreads = arg("threads", "whole number", "none", "how many to use, all when left out; the result is the same")
	optSolver  = arg("solver", "solver", "auto", "a solver by its name, such as Tsit5 or RK4(dt = 0.01)")
	optRtol    = arg("rtol", "number", "1e-6", "relative tolerance of the local error")
	optAtol    = arg("atol", "number", "1e-9", "absolute tolerance of the local error")
	optSet     = arg("set", "record", "none", "values for this run: parameters, constants, weights, and initial values by the state's name")
	optSeed    = arg("seed", "whole number", "0", "of the weights that an untrained unknown starts with")
	optSteps   = arg("max_steps", "whole number", "100000", "limit on attempted steps")
	optStep    = arg("max_step", "number", "none", "longest step, so that a short pulse in the equations is not stepped over")
	optData    = pos("data", "table, list of tables, ensemble or solution", "none", "measurements; a list of tables, or an ensemble, is several trajectories. A record of columns serves as a table")
	optMatch   = arg("match", OfColumns, "none", "state or let: column; without it, columns of the same names")
	optLoss    = arg("loss", OfLosses, "sse", "sse, mse, mae or huber of the data, a likelihood of its errors (normal, lognormal, student_t, poisson), or a function of the solution")
	optAdjoint = arg("adjoint", "word: "+strings.Join(adjoints(), ", "), "auto", "how gradients are computed; auto decides by the problem, and `.stats.why` says why; as a rule it is discrete, the exact derivative of the steps taken")
)

// verbs is the table. A row without a run is part of the language and not built yet.
var verbs = []Verb{
	verb("solve", "solution", "Solves a model over a range of times.",
		"model M { state x = 1; x' = -x }\ns = solve(M, t = 0..10 by 0.1)", solveVerb,
		arg("model", "model", "", ""), needT, optSolver, optRtol, optAtol, optSet, optInputs, optSeed, optStep, optSteps,
		arg("into", "text", "none", "a .csv file that takes the outputs as they are reached, as `save` writes them, for runs too long for memory: none of them is kept, `.last` is the end")),
	fitRow, profileRow,
	verb("grad", "gradient", "Derivatives of a loss by parameters, constants, weights and initial values, by name.",
		"model M { param k = 1; state x = 1; x' = -k*x }\ng = grad(M, t = 0..1 by 0.1, loss = s -> s.x[end])", gradVerb,
		arg("model", "model", "", ""), optData, optLoss, optT, optMatch, optSolver, optRtol, optAtol, optSetEach, optInputsEach, optSeed, optStep, optSteps, optAdjoint),
	hessianRow,
	verb("sensitivity", "record", "Derivatives of the states at the output times by parameters and initial values: `S.x.alpha`.",
		"model M { param k = 1; state x = 1; x' = -k*x }\nS = sensitivity(M, t = 0..1 by 0.1)", sensitivityVerb,
		arg("model", "model", "", ""), needT, arg("wrt", "names", "none", "by what; all parameters and initial values when left out"), optSolver, optRtol, optAtol, optSet, optInputs, optSeed, optStep, optSteps),
	verb("check_grad", "number", "Compares the gradient methods with each other and with central differences; prints a table and gives the largest difference relative to the largest component.",
		"model M { param k = 1; state x = 1; x' = -k*x }\ncheck_grad(M, t = 0..1 by 0.1, loss = s -> s.x[end], rtol = 1e-9)", checkGradVerb,
		arg("model", "model", "", ""), optData, optLoss, optT, optMatch, optSolver, optRtol, optAtol, optSetEach, optInputsEach, optSeed, optStep, optSteps,
		arg("methods", "names", "none", "which to compare: discrete, forward, interpolating, quadrature, backsolve, differences; all when left out")),
	verb("steady", "steady state", "A state at which nothing changes: a root of the right-hand sides and algebraic equations, by Newton's method from the initial values, by continuation where that fails or the "+
		"equations are singular, and at last by integration. Linear equations, such as those of a Poisson problem, take one step. `r.x` is the state, `r.stability` says what the eigenvalues tell, `r.stats.how` how it was found.",
		"model M { param k = 2; state x = 1; x' = 1 - k*x }\nr = steady(M, set = {k: 4})\nprint(r.x)", steadyVerb,
		arg("model", "model", "", ""), arg("t", "number", "0", "the time, which is held"),
		arg("by", "word: auto, newton, continuation, integration", "auto", "newton finds a root near the start, stable or not; continuation and integration go where the solution goes; auto tries them in this order"),
		arg("rtol", "number", "1e-9", "relative tolerance of the state"), arg("atol", "number", "1e-12", "absolute tolerance of the state"), optSet, optInputs, optSeed, optSteps),
	verb("csv", "table", "Reads a table from a CSV file: a header, then numbers; an empty cell is missing.", "pelts = csv(\"lynx_hare.csv\", time = \"year\")", csvVerb,
		arg("file", "text", "", "path, relative to the file this stands in"), arg("time", "text", "none", "the column of times"),
		arg("delimiter", "text", "none", "one character; found out when left out"), arg("decimal", "text", "\".\"", "what stands for the decimal point: \".\" or \",\""), arg("units", "truth value", "none", "whether the row below the header holds units"),
		arg("text", "text or list of texts", "none", "columns that are texts even where some cells are numbers"),
		arg("by", "text", "none", "a column by whose values the table is split into a list of tables, in order of appearance: trajectories for `fit`")),
	verb("json", "record, array or list", "Reads a JSON file: objects are records, lists of numbers arrays, other lists lists; null is nan.", "save({alpha: [1, 2]}, \"results.json\")\nr = json(\"results.json\")\nprint(r.alpha)", jsonVerb,
		arg("file", "text", "", "path, relative to the file this stands in")),
	verb("exists", "truth value", "Whether a file is there and can be read.", "if exists(\"results.json\") { print(\"found\") }", existsVerb,
		arg("file", "text", "", "path, relative to the file this stands in")),
	verb("reshape", "array", "The elements of an array in another shape, the last index running fastest. Columns laid one below the other are `transpose(reshape(v, [columns, rows]))`.",
		"reshape([1, 2, 3, 4, 5, 6], [2, 3])", reshapeVerb, arg("a", "array", "", ""), pos("shape", "list of whole numbers", "", "")),
	verb("save", "nothing", "Writes a solution, ensemble, table or record to .csv or .json, a report to .json or .txt, the values of a model (parameters, weights) to .json or .safetensors, its text with those values to .udl, or a plot to .svg, .png or .pdf, by the ending of the name.",
		"model M { state x = 1; x' = -x }\nsave(solve(M, t = 0..1 by 0.1), \"m.csv\")", saveVerb,
		arg("value", "any", "", ""), arg("file", "text", "", "path, relative to the file this stands in")),
	verb("load", "record", "Reads back the values of a model that were saved, as a record for `set`; any .safetensors file of numbers, too, and the folder of a checkpoint.",
		"model M { param k = 1; state x = 1; x' = -k*x }\nsave(M, \"m.json\")\nsolve(M, t = 0..1, set = load(\"m.json\"))", loadVerb,
		arg("file", "text", "", "path, relative to the file this stands in")),
	verb("plot", "plot", "A figure of solutions, fits with their data, ensembles (medians and bands), tables or vectors; it is drawn in the terminal where it stands alone.",
		"plot([1, 4, 9, 16])", plotVerb,
		variadic("values", "solution, fit, profile, ensemble, table, vector or plot"), arg("title", "text", "none", ""), arg("log", "word: x, y, xy", "none", "logarithmic axes")),
	verb("table", "nothing", "Prints a solution, ensemble, table or record of columns in aligned columns.", "table({a: [1, 2], b: [3, 4]})", tableVerb,
		arg("value", "any", "", ""), arg("rows", "whole number", "0", "how many rows at most; -1 for all")),
	verb("print", "nothing", "Prints values in one line.", "print(\"two and two:\", 2 + 2)", printVerb, optional(variadic("values", "any"))),
	verb("assert", "nothing", "Ends the run with an error when a condition is false.", "assert(1 < 2, \"order\")", assertVerb,
		arg("condition", "truth value", "", ""), pos("message", "text", "none", "")),
	verb("assert_close", "nothing", "Ends the run with an error unless |a - b| ≤ atol + rtol*|b| everywhere; b is the reference.", "assert_close(0.1 + 0.2, 0.3)", assertClose,
		arg("a", "number or array", "", ""), arg("b", "number or array", "", ""), arg("rtol", "number", "1e-9", ""), arg("atol", "number", "0", "")),
	verb("time", "number", "Seconds that an expression takes to evaluate.", "time(sum[i in 1..100] i^2)", timeVerb, arg("expression", "expression", "", "")),
	verb("ensemble", "ensemble", "Solves a model many times at once, some quantities drawn or given for each member, on all cores and in the lanes of each. `E.x` is member × time × shape; "+
		"`E.mean`, `E.sd`, `E.median` and `quantile(E, 0.9)` are over the members; `E.values` is what was drawn; `E[3]` is the third as a solution; `E.failed` counts those that stopped early.",
		"model M { param k = 1; state x = 1; x' = -k*x }\nE = ensemble(M, n = 100, vary = {k: lognormal(0, 0.2), x: uniform(0.5, 1.5)}, t = 0..2 by 0.5)", ensembleVerb,
		arg("model", "model", "", ""), arg("vary", "record of distributions or lists", "", "what differs from member to member: parameters, constants, weights, and initial values by the state's name"), needTimes,
		arg("n", "whole number", "none", "the number of members; not needed where values are given"), optSolver, optRtol, optAtol, optSet, optInputs,
		arg("seed", "whole number", "0", "of the draws, and of the weights that an untrained unknown starts with"), optThreads, optStep, optSteps),
	verb("sweep", "ensemble", "Solves a model over a grid of values: every combination is a member, the last quantity running fastest.",
		"model M { param k = 1; state x = 1; x' = -k*x }\nE = sweep(M, over = {k: [0.5, 1, 2], x: 1..2 by 0.5}, t = 0..2 by 0.5)", sweepVerb,
		arg("model", "model", "", ""), arg("over", "record of lists", "", "the values of each quantity: a list, or a range with a step"), needTimes,
		optSolver, optRtol, optAtol, optSet, optInputs, optSeed, optThreads, optStep, optSteps),
	verb("quantile", "record or number", "A quantile over the members of an ensemble, for every state and let at every output time; or of the numbers of an array.",
		"model M { state x = 1; x' = -x }\nE = ensemble(M, n = 100, vary = {x: normal(1, 0.1)}, t = 0..1 by 0.5)\nquantile(E, 0.95).x", quantileVerb,
		arg("of", "ensemble or array", "", ""), pos("p", "number", "0.5", "from 0 to 1; 0.5 is the median")),
	later("sample", "Posterior draws."), discoverRow, putBackRow, sourceRow, randomRow,
	later("parquet", "Reads a Parquet file."), later("npy", "Reads a NumPy file."),
}

func variadic(name, typ string) sig.Param { return sig.Param{Name: name, Type: typ, Variadic: true} }

func optional(p sig.Param) sig.Param { p.Default = "none"; return p }

// later is a verb of the language that is not built yet.
func later(name, doc string) Verb {
	return Verb{Builtin: sig.Builtin{Name: name, Kind: sig.Verb, Doc: doc + " Not built yet.", Params: []sig.Param{{Name: "args", Type: "any", Default: "none", Variadic: true}}}}
}

// Table indexes the verbs by name.
func Table() map[string]*Verb {
	t := make(map[string]*Verb, len(verbs))
	for i := range verbs {
		t[verbs[i].Name] = &verbs[i]
	}
	return t
}

// Signatures are the rows of this package as the checker and help see them: verbs, solvers, optimisers, losses.
func Signatures() []sig.Builtin {
	var out []sig.Builtin
	for _, v := range verbs {
		out = append(out, v.Builtin)
	}
	for _, row := range method.Solvers() {
		if row.Info().Family == method.Automatic {
			continue // a word, where a solver may stand
		}
		out = append(out, solverRow(row))
	}
	out = append(out, discoverRows()...)
	out = append(out, optimiserRows()...)
	for _, x := range interpolations {
		out = append(out, x.row)
	}
	out = append(out, methodRows()...)
	out = append(out, adjointRows()...)
	return append(out, lossRows()...)
}
