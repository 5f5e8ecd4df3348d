// Package opt makes graphs smaller and cheaper: a literal table of passes, each a walk over the
// graph with a list of local rules. What a rule may change is stated with it; nothing is
// reassociated, so results change by the sign of a zero and, for small powers, in the last bits.
//
// It imports ir and nothing of the language.
package opt
