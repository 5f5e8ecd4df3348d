// Package ivp holds initial value problems with reference solutions in testdata: the equations as models of the language, the solutions computed by two methods in
// quadruple precision (each file's checks say to how many digits they agree). Its tests solve them with every solver that suits.
package ivp
