package ast

// Prec is how tightly a construct binds; larger is tighter.
type Prec int

// The levels of precedence, loosest first.
const (
	PrecLambda  Prec = iota + 1 // s -> e
	PrecThen                    // adam() then lbfgs()
	PrecIf                      // if c then a else b
	PrecOr                      // or
	PrecAnd                     // and
	PrecNot                     // not
	PrecCompare                 // == != < <= > >=
	PrecRange                   // .. with by and at
	PrecSum                     // + -
	PrecProduct                 // * / @
	PrecUnary                   // -x
	PrecPower                   // ^
	PrecPostfix                 // call, index, member, '
)

// Assoc says how a row of equal operators groups.
type Assoc int

// The associativities. A row of NonAssoc operators is an error.
const (
	LeftAssoc Assoc = iota
	RightAssoc
	NonAssoc
)

// Operator is one row of the table of infix operators.
type Operator struct {
	Text  string
	Prec  Prec
	Assoc Assoc
	Tight bool // printed without spaces around
}

// Operators is THE table of infix operators: the parser climbs it, the printer puts brackets
// by it. The prefix operators are - and + (PrecUnary) and not (PrecNot).
var Operators = []Operator{
	{"then", PrecThen, LeftAssoc, false},
	{"or", PrecOr, LeftAssoc, false},
	{"and", PrecAnd, LeftAssoc, false},
	{"==", PrecCompare, NonAssoc, false},
	{"!=", PrecCompare, NonAssoc, false},
	{"<", PrecCompare, NonAssoc, false},
	{"<=", PrecCompare, NonAssoc, false},
	{">", PrecCompare, NonAssoc, false},
	{">=", PrecCompare, NonAssoc, false},
	{"..", PrecRange, NonAssoc, true},
	{"+", PrecSum, LeftAssoc, false},
	{"-", PrecSum, LeftAssoc, false},
	{"*", PrecProduct, LeftAssoc, true},
	{"/", PrecProduct, LeftAssoc, true},
	{"@", PrecProduct, LeftAssoc, true},
	{"^", PrecPower, RightAssoc, true},
}

// Infix finds the row of an infix operator.
func Infix(text string) (Operator, bool) {
	for i := range Operators {
		if Operators[i].Text == text {
			return Operators[i], true
		}
	}
	return Operator{}, false
}

// Reductions are the names that take a bound index, as in sum[j in 1..n] a[j]*b[j].
var Reductions = []string{"sum", "prod", "min", "max", "mean"}
