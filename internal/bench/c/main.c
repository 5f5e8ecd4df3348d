/* The C side as a process. It reads one request a line and answers each with one line:
 *
 *   set SUBJECT NU u... NP p...    ->  ok
 *   run JOB REPS                   ->  NANOSECONDS WORK N value...
 *
 * or "error" and why. NANOSECONDS are those of REPS repetitions, WORK is in how many units of work (calls, steps, bytes) they
 * were, the values are what was computed. Numbers may be hexadecimal, so that nothing is lost on the way. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "bench.h"

struct subject {
	const char *name;
	rhs_fn f;
	long nu, np;
	double *u, *p;
};

static struct subject subjects[] = {
	{"lv", lv}, {"lvs", lv}, {"ude", ude}, {"node50", node50}, {"pollu", pollu}, {"bruss32", bruss32},
	{"dense16", dense16}, {"dense64", dense64}, {"dense128", dense128}, {"dense256", dense256}, {0},
};

struct outcome {
	long ns, work, n;
	double *v;
};

/* Both sides integrate to here with this tolerance. */
#define T1 10.0
#define TOL 1e-8

static long now(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000L + t.tv_nsec;
}

static double *copy_of(const double *x, long n) {
	double *y = malloc((n ? n : 1) * sizeof *y);
	if (n) memcpy(y, x, n * sizeof *y);
	return y;
}

static void values(struct outcome *o, long n) {
	o->n = n;
	o->v = calloc(n, sizeof *o->v);
}

/* Calls through a pointer that the compiler cannot see through. Each call waits for the one before, as in a solver. */
static void rhs(struct outcome *o, struct subject *s, rhs_fn which, long reps) {
	rhs_fn volatile hidden = which;
	rhs_fn f = hidden;
	double *u = copy_of(s->u, s->nu);
	values(o, s->nu);
	long start = now();
	for (long r = 0; r < reps; r++) {
		f(o->v, u, s->p, 0);
		u[0] = s->u[0] + 1e-12 * o->v[0];
	}
	o->ns = now() - start;
	o->work = reps;
	f(o->v, s->u, s->p, 0);
	free(u);
}

static void run_rhs(struct outcome *o, struct subject *s, long reps) { rhs(o, s, s->f, reps); }
static void run_pollu_scalar(struct outcome *o, struct subject *s, long reps) { rhs(o, s, pollu_scalar, reps); }

/* The cotangent is the state itself. */
static void run_vjp(struct outcome *o, struct subject *s, long reps) {
	double *u = copy_of(s->u, s->nu);
	values(o, s->nu + s->np);
	long start = now();
	for (long r = 0; r < reps; r++) {
		ude_vjp(o->v, o->v + s->nu, u, s->p, s->u);
		u[0] = s->u[0] + 1e-12 * o->v[0];
	}
	o->ns = now() - start;
	o->work = reps;
	ude_vjp(o->v, o->v + s->nu, s->u, s->p, s->u);
	free(u);
}

static void step(struct outcome *o, struct subject *s, int specialised, long reps) {
	rhs_fn volatile hidden = s->f;
	double *w = malloc(9 * s->nu * sizeof *w);
	values(o, s->nu);
	long start = now();
	for (long r = 0; r < reps; r++) {
		memcpy(o->v, s->u, s->nu * sizeof *o->v);
		o->work += specialised ? tsit5_lv(o->v, s->p, T1, TOL) : tsit5(hidden, s->nu, o->v, s->p, T1, TOL, w);
	}
	o->ns = now() - start;
	free(w);
}

static void run_step(struct outcome *o, struct subject *s, long reps) { step(o, s, 0, reps); }
static void run_step_specialised(struct outcome *o, struct subject *s, long reps) { step(o, s, 1, reps); }

/* The values are the means of both states at the end and the last trajectory's. */
static void many(struct outcome *o, struct subject *s, int specialised, long reps) {
	long count = s->np / 4;
	double *out = calloc(2 * count, sizeof *out);
	values(o, 4);
	long start = now();
	for (long r = 0; r < reps; r++) ensemble(specialised, count, s->u, s->p, T1, TOL, out);
	o->ns = now() - start;
	o->work = reps * count;
	for (long i = 0; i < 2 * count; i++) o->v[i % 2] += out[i] / count;
	o->v[2] = out[2 * count - 2];
	o->v[3] = out[2 * count - 1];
	free(out);
}

static void run_ensemble(struct outcome *o, struct subject *s, long reps) { many(o, s, 0, reps); }
static void run_ensemble_specialised(struct outcome *o, struct subject *s, long reps) { many(o, s, 1, reps); }

static void run_fma(struct outcome *o, struct subject *s, long reps) {
	values(o, 1);
	long start = now();
	o->v[0] = fma_chains(reps, &o->work);
	o->ns = now() - start;
}

/* Reads a matrix as large as the subject's. */
static void run_read(struct outcome *o, struct subject *s, long reps) {
	long bytes = s->nu * s->nu * 8;
	values(o, 1);
	read_block(s->p, bytes, 1);
	long start = now();
	o->v[0] = read_block(s->p, bytes, reps);
	o->ns = now() - start;
	o->work = reps * bytes;
}

static const struct job {
	const char *name, *subject;
	void (*run)(struct outcome *, struct subject *, long reps);
} jobs[] = {
	{"rhs/lv", "lv", run_rhs},
	{"rhs/ude", "ude", run_rhs},
	{"rhs/node50", "node50", run_rhs},
	{"rhs/pollu", "pollu", run_rhs},
	{"rhs-scalar/pollu", "pollu", run_pollu_scalar},
	{"rhs/bruss32", "bruss32", run_rhs},
	{"rhs/dense16", "dense16", run_rhs},
	{"rhs/dense64", "dense64", run_rhs},
	{"rhs/dense128", "dense128", run_rhs},
	{"rhs/dense256", "dense256", run_rhs},
	{"vjp/ude", "ude", run_vjp},
	{"step/lv", "lv", run_step},
	{"step-specialised/lv", "lv", run_step_specialised},
	{"ensemble/lvs", "lvs", run_ensemble},
	{"ensemble-specialised/lvs", "lvs", run_ensemble_specialised},
	{"fma/lv", "lv", run_fma},
	{"read/dense16", "dense16", run_read},
	{"read/dense64", "dense64", run_read},
	{"read/dense128", "dense128", run_read},
	{"read/dense256", "dense256", run_read},
	{0},
};

static struct subject *find(const char *name) {
	for (struct subject *s = subjects; s->name; s++)
		if (name && !strcmp(s->name, name)) return s;
	return 0;
}

/* vector reads a length and as many numbers; -1 when they are not all there. */
static long vector(double **into) {
	const char *w = strtok(0, " \n");
	long n = w ? atol(w) : -1;
	if (n < 0) return -1;
	free(*into);
	*into = aligned_alloc(64, (n * sizeof **into / 64 + 1) * 64); /* so that no load of a wide vector crosses a cache line */
	for (long i = 0; i < n; i++) {
		if (!(w = strtok(0, " \n"))) return -1;
		(*into)[i] = strtod(w, 0);
	}
	return n;
}

static void set(void) {
	struct subject *s = find(strtok(0, " \n"));
	if (!s) {
		printf("error no such subject\n");
		return;
	}
	s->nu = vector(&s->u);
	s->np = vector(&s->p);
	if (s->nu < 0 || s->np < 0) {
		s->nu = s->np = 0;
		printf("error numbers are missing\n");
		return;
	}
	printf("ok\n");
}

static void run(void) {
	const char *name = strtok(0, " \n"), *reps = strtok(0, " \n");
	const struct job *j = jobs;
	while (j->name && (!name || strcmp(j->name, name))) j++;
	struct subject *s = find(j->subject);
	if (!s || !reps || atol(reps) < 1) {
		printf("error no such job, or no repetitions\n");
		return;
	}
	if (!s->nu) {
		printf("error %s is not set\n", s->name);
		return;
	}
	struct outcome o = {0};
	j->run(&o, s, atol(reps));
	printf("%ld %ld %ld", o.ns, o.work, o.n);
	for (long i = 0; i < o.n; i++) printf(" %a", o.v[i]);
	printf("\n");
	free(o.v);
}

int main(void) {
	char *line = 0;
	size_t cap = 0;
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
