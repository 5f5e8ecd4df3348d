package sens

// Kronrod is the rule of seven points, and the weights of that of three.
func Kronrod() (nodes, weights, low [7]float64) { return kronrodNodes, kronrodWeights, gaussWeights }
