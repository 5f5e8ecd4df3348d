// Package signal makes functions of time out of tables: held, linear and cubic interpolation, with the times at which
// they bend or jump, which a solver must not step across. It knows nothing of models or solvers.
//
// A Signal is made once for a run; evaluating it allocates nothing and it may be shared by goroutines.
package signal
