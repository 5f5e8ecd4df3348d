package kernels

import (
	"math/big"

	"github.com/udl-lang/udl/internal/exact"
)

// exactly are the functions by their numbers.
var exactly = [numFunctions]func(x float64) *big.Float{
	fExp:     func(x float64) *big.Float { return exact.Exp(exact.Num(x)) },
	fLog:     func(x float64) *big.Float { return exact.Log(exact.Num(x)) },
	fTanh:    exact.Tanh,
	fSigmoid: exact.Sigmoid,
	fSin:     exact.Sin,
	fCos:     exact.Cos,
	fSqrt:    exact.Sqrt,
}
