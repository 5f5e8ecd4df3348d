/* CVODE as a process. It reads one request a line and answers each with one line:
 *
 *   set PROBLEM NU u... NP t1 s...   ->  ok
 *   run PROBLEM/RTOL REPS            ->  NANOSECONDS REPS N value...
 *
 * or "error" and why. u is the initial state, t1 the end, s[i] the absolute tolerance of state i for rtol = 1. The values are the state
 * at t1, then how many steps, calls of the right-hand side, setups of the linear solver and failed steps it took. NANOSECONDS are those of REPS solves, from
 * CVodeReInit to the state at t1. Numbers may be hexadecimal. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <sunlinsol/sunlinsol_band.h>
#include <sunlinsol/sunlinsol_dense.h>
#include <sunlinsol/sunlinsol_spbcgs.h>
#include <sunmatrix/sunmatrix_band.h>
#include <sunmatrix/sunmatrix_dense.h>
#include "cvode.h"

#define PROBLEMS 16

/* What is made once for a problem. */
static struct ready {
	double *u, *p;
	void *mem;
	N_Vector y, y0, atol;
} made[PROBLEMS];

static SUNContext ctx;

static long now(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000L + t.tv_nsec;
}

static void quiet(int code, const char *module, const char *function, char *msg, void *data) {}

/* prepare makes CVODE's memory and the linear solver. The result is what failed, 0 if nothing. */
static const char *prepare(const struct problem *p, struct ready *r) {
	r->y = N_VNew_Serial(p->n, ctx);
	r->y0 = N_VNew_Serial(p->n, ctx);
	r->atol = N_VNew_Serial(p->n, ctx);
	memcpy(NV_DATA_S(r->y0), r->u, p->n * sizeof(double));
	r->mem = CVodeCreate(CV_BDF, ctx);
	if (!r->mem) return "CVodeCreate";
	if (CVodeInit(r->mem, p->f, 0, r->y0)) return "CVodeInit";
	CVodeSetErrHandlerFn(r->mem, quiet, 0);
	CVodeSetMaxNumSteps(r->mem, 10000000);
	CVodeSStolerances(r->mem, 1e-6, 1e-6); /* replaced before each solve */
	SUNMatrix J = 0;
	SUNLinearSolver ls = 0;
	switch (p->kind) {
	case DENSE:
		J = SUNDenseMatrix(p->n, p->n, ctx);
		ls = SUNLinSol_Dense(r->y, J, ctx);
		break;
	case BANDED:
		J = SUNBandMatrix(p->n, p->width, p->width, ctx);
		ls = SUNLinSol_Band(r->y, J, ctx);
		break;
	case SPBCGS:
		ls = SUNLinSol_SPBCGS(r->y, SUN_PREC_NONE, p->width, ctx);
	}
	if (!ls || CVodeSetLinearSolver(r->mem, ls, J)) return "CVodeSetLinearSolver";
	if (p->jac && CVodeSetJacFn(r->mem, p->jac)) return "CVodeSetJacFn";
	if (p->jtv && CVodeSetJacTimes(r->mem, 0, p->jtv)) return "CVodeSetJacTimes";
	return 0;
}

static int find(const char *name) {
	for (int i = 0; i < PROBLEMS && problems[i].name; i++)
		if (name && !strcmp(problems[i].name, name)) return i;
	return -1;
}

/* vector reads a length and as many numbers; -1 when they are not all there. */
static long vector(double **into) {
	const char *w = strtok(0, " \n");
	long n = w ? atol(w) : -1;
	if (n < 0) return -1;
	free(*into);
	*into = malloc((n + 1) * sizeof **into);
	for (long i = 0; i < n; i++) {
		if (!(w = strtok(0, " \n"))) return -1;
		(*into)[i] = strtod(w, 0);
	}
	return n;
}

static void set(void) {
	int i = find(strtok(0, " \n"));
	if (i < 0) {
		printf("error no such problem\n");
		return;
	}
	struct ready *r = &made[i];
	long nu = vector(&r->u), np = vector(&r->p), n = problems[i].n;
	if (nu != n || np != n + 1) {
		printf("error %s has %ld states; %ld and %ld numbers are given\n", problems[i].name, n, nu, np);
		return;
	}
	const char *why = r->mem ? 0 : prepare(&problems[i], r);
	if (why) printf("error %s fails\n", why);
	else printf("ok\n");
}

static void run(void) {
	char *name = strtok(0, " \n"), *reps = strtok(0, " \n"), *slash = name ? strchr(name, '/') : 0;
	if (slash) *slash = 0;
	int at = find(name);
	if (!slash || at < 0 || !reps || atol(reps) < 1) {
		printf("error no such problem, no tolerance or no repetitions\n");
		return;
	}
	struct ready *r = &made[at];
	if (!r->mem) {
		printf("error %s is not set\n", name);
		return;
	}
	double rtol = strtod(slash + 1, 0), t;
	long n = problems[at].n;
	for (long i = 0; i < n; i++) NV_DATA_S(r->atol)[i] = rtol * r->p[1 + i];
	long start = now();
	for (long k = 0; k < atol(reps); k++) {
		int flag = CVodeReInit(r->mem, 0, r->y0);
		if (!flag) flag = CVodeSVtolerances(r->mem, rtol, r->atol);
		if (!flag) flag = CVode(r->mem, r->p[0], r->y, &t, CV_NORMAL);
		if (flag < 0) {
			printf("error CVODE stops with %d at t = %g\n", flag, t);
			return;
		}
	}
	long ns = now() - start, steps = 0, calls = 0, linear = 0, setups = 0, fails = 0;
	CVodeGetNumSteps(r->mem, &steps);
	CVodeGetNumRhsEvals(r->mem, &calls);
	CVodeGetNumLinRhsEvals(r->mem, &linear);
	CVodeGetNumLinSolvSetups(r->mem, &setups);
	CVodeGetNumErrTestFails(r->mem, &fails);
	printf("%ld %ld %ld", ns, atol(reps), n + 4);
	for (long i = 0; i < n; i++) printf(" %a", NV_DATA_S(r->y)[i]);
	printf(" %ld %ld %ld %ld\n", steps, calls + linear, setups, fails);
}

int main(void) {
	char *line = 0;
	size_t cap = 0;
	if (SUNContext_Create(0, &ctx)) return 1;
	bruss2d_init();
	while (getline(&line, &cap, stdin) > 0) {
		const char *verb = strtok(line, " \n");
		if (!verb) continue;
		if (!strcmp(verb, "set")) set();
		else if (!strcmp(verb, "run")) run();
		else printf("error the requests are set and run\n");
		fflush(stdout);
	}
	free(line);
	return 0;
}
