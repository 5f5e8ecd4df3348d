package stdlib

// Monomials lists the exponents of all monomials of n inputs up to a total degree, by degree, then in falling powers of the
// first inputs: the order of `poly`.
func Monomials(n, degree int) [][]int { return monomials(n, degree) }
