// Package implicit turns a model with implicit equations (0 = e, C*(y' - x') = e) into a system M(θ)·x' = f(t, x, θ) of index 1.
//
// Every derivative that no equation gives becomes an unknown p of its own, with x' = p. What is left is x' = f(t, x, z), 0 = g(t, x, z) with as
// many equations as unknowns z. Equations are assigned to unknowns that stand in them (matching.go); where that cannot be done, those
// in the way are differentiated until it can (index.go), or the model is refused with the equations and unknowns named (singular.go). A p
// that was made here and has constant coefficients goes again, and leaves a row of the mass matrix (mass.go). assemble.go puts
// the functions together.
//
// Rows that depend on each other by their numbers only are found and written out before that (dependent.go); such a system is left with a singular mass matrix where it
// can be (flat.go).
//
// It works on graphs (ir, ad) and names things by the model; it evaluates nothing but coefficients of derivatives, at random parameters. It stands beside the other
// stages of the compiler.
package implicit
