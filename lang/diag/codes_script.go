package diag

// scriptCodes are the rows of scripts and the prompt, E07xx.
var scriptCodes = []Row{
	{"E0700", "a call failed", "What was called says why.", ""},
	{"E0701", "unknown name", "A name must be given a value, declared, or be a builtin, before it is used.", "print(misspelt)"},
	{"E0702", "no meaning in a script", "Derivatives, formulas with parameters and representations belong in a model.", "x = [1, 2]\ny = x'"},
	{"E0703", "a value of another kind is needed", "The message says which kind, and what was found.", "x = \"text\" + 1"},
	{"E0704", "a wrong argument", "The message says what the argument must be.", "model M { state x = 1; x' = -x }\nsolve(M, t = 3)"},
	{"E0705", "a wrong range", "A step must lead from the start to the end, in a number of points that fits into memory.", "x = 0..10 by -1"},
	{"E0706", "wrong arguments", "A call must give every argument that has no default, by position or by name, and none that does not exist.", "x = sin(1, 2)"},
	{"E0707", "functions nested too deep", "A function that calls itself must come to an end.", "fn f(x) = f(x + 1)\nprint(f(1))"},
	{"E0708", "no such part", "The message lists what there is.", "r = {a: 1}\nprint(r.b)"},
	{"E0709", "an index outside the array", "Indices run from 1 to the extent of the axis.", "v = [1, 2]\nprint(v[3])"},
	{"E0710", "belongs in a model", "Parameters, states and equations are declarations of a model; at top level only fn, const, unknown and model stand.", "param k = 1"},
	{"E0711", "a file imports itself", "Imports must not form a circle.", ""},
	{"E0712", "another version of the language", "`udl 1` is the version this program reads.", "udl 2"},
	{"E0713", "a constant without a value", "A top-level constant needs `= value`.", "const g"},
	{"E0714", "a value that cannot be set", "`set` takes parameters, constants, weights and the names of states, within their bounds.", "model M { state x = 1; x' = -x }\nsolve(M, t = 0..1, set = {y: 1})"},
	{"E0715", "no signal can be made of a table", "The times of an input's table must rise, and every value must be a number. Lines and splines need two rows.", "model M { input I = 0; state x = 1; x' = I - x }\nsolve(M, t = 0..1, inputs = {I: linear([1, 0], [0, 1])})"},
	{"E0716", "outputs that are not kept", "A solve `into` a file keeps no outputs: `csv` reads them back, `.last` is the end of the solution.", "model M { state x = 1; x' = -x }\ns = solve(M, t = 0..1 by 0.1, into = \"m.csv\")\nprint(s.x)"},
	{"E0717", "a file is no JSON", "JSON is an object, list, text, number, true, false or null, once in a file. A name may stand once in an object.", "save({a: [1, 2]}, \"a.csv\")\njson(\"a.csv\")"},
	{"E0720", "assertion failed", "What the script states is not so.", "assert(1 > 2)"},
	{"E0730", "no such command", "At the prompt a line that begins with a colon is a command; `:help` lists them.", ""},
	{"E0731", "nothing of that name", "`help`, `udl doc`, `:model` and `:graph` explain and show what there is; alone, or by `:help`, they list it.", ""},
	{"E0790", "not built yet", "The word is part of the language; its meaning is not built in this version.", "sample(1)"},
	{"E0799", "internal error", "A fault of udl, not of the model. Please report it.", ""},
}
