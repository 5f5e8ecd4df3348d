// Package train fits the free parameters of a compiled model: optimisers, bounds by smooth
// transforms, losses against data, the driver that joins them, and the report of a fit.
//
// Fit takes a Spec and gives a Result; it works on θ, the parameter vector of a system.System.
// Minimise is the chain of optimisers alone, on any Objective. NewDataLoss turns data and a
// LossSpec into a loss over a trajectory, for gradients without a fit too. What can be
// named is in three tables: Optimisers, Losses and Methods. A fit is a sequence of phases, each a method's objective with
// a chain of optimisers.
//
// A trial whose solve fails has an infinite loss and is not an error: optimisers go back from
// it. Stopping early is a status, with the best point ever seen kept.
//
// Nothing here knows text, files or terminals. The package may import runtime/system,
// runtime/method, runtime/solve, runtime/sens and gonum's linear algebra.
package train
