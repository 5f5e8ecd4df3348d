package diag

// runtimeCodes are the rows of solving and training, E05xx.
var runtimeCodes = []Row{
	{"E0501", "the limit on steps is reached", "The solver needed more steps than `max_steps` allows before the end. A stiff problem wants an implicit solver.", ""},
	{"E0502", "the step size became too small", "The error demands steps so small that time does not move on: the solution has a pole, or the equations jump.", ""},
	{"E0503", "a value is not finite", "A right-hand side gave an infinity or not a number; the label shows the sub-expression with its operands.", ""},
	{"E0504", "cancelled", "The computation was interrupted or its time was over.", ""},
	{"E0505", "a solve did not reach its end", "Told at the end of a run, so that its exit code says so.", ""},
	{"E0506", "the limit on memory is reached", "Ask for outputs at given times, or raise the limit.", ""},
	{"E0507", "members of an ensemble stopped early", "Some trajectories did not reach their end; statistics leave them out, `.status` says how each ended, and `E[3]` solves one again with the whole message.", ""},
	{"E0508", "an input is not known at all times", "The integration leaves the times of an input's table. Nothing is extrapolated unless `outside = hold` says that the end values hold.", ""},
	{"E0509", "no steady state was found", "The message says what was tried, what came of it, and which equation is furthest from zero. The equations may have none.", ""},
	{"E0510", "no gradient", "Something in the model has no derivative, or the gradient method cannot handle it.", ""},
	{"E0511", "the loss is infinite at the start", "The first evaluation of a training must give a finite loss; the message names state, time and row.", ""},
	{"E0512", "the data do not fit the loss", "A logarithm of a datum that is not positive, times that are not sorted, or too few data.", ""},
	{"E0513", "nothing to train", "The model has no parameter or weight that may move.", ""},
	{"E0514", "a training failed", "The message says why.", ""},
	{"E0515", "an event goes wrong", "It fires for ever, as bounces that die down do, or twice at a time where its condition only touches, or events set each other off in a circle, or it assigns what is no number or what no equation can hold with, or its period or delay makes no sense, or it should happen backwards in time. The help says what to do.", ""},
	{"E0516", "a solver that does not suit", "The solver cannot handle what the model needs, such as algebraic equations. The message lists those that can.", ""},
	{"E0517", "an output could not be handed on", "The function that takes the outputs of a solve gave an error, which the message quotes.", ""},
	{"E0518", "no profile", "A profile likelihood needs a fit to data by least squares, with more values than free scalars or a known noise.", ""},
	{"E0530", "inconsistent initial values", "The given initial values of states that have a derivative contradict an algebraic equation or a constraint, or from the first guesses of the algebraic unknowns no solution is found. The message names the equation, by how much it is missed, and the values.", ""},
	{"E0533", "steps are made again for gradients", "The discrete adjoint reads the steps of a solve backwards, and the limit on memory does not hold all of them. Those that are missing are made again from checkpoints, which gives the same bits and takes up to twice as long.", ""},
	{"E0531", "given initial values were moved", "Where several derivatives stand in equations whose left sides depend on each other, as x' + y' in two, a combination of the equations holds no derivative and must hold at the start. What is differentiated, x + y, keeps its value; x and y by themselves do not.", ""},
	{"E0532", "backsolve departs from the solution", "States integrated backwards are not those of the solution: what the equations damp forwards grows backwards. The gradient is as wrong as they are.", ""},
}
