// Package compiler makes a system out of a checked model: it lowers the model to graphs,
// optimises them, and wraps the compiled programs and their derivatives as the functions
// that a solver calls. Derivatives are compiled when first asked for.
//
// It knows of the runtime only system and method.
package compiler
