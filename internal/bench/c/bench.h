/* What the files of the C side share. All of it is ordinary C for gcc -O3 -march=native, written as
 * somebody would who cares about its speed but not about reading assembly. */
#ifndef BENCH_H
#define BENCH_H

/* A right-hand side du = f(t, u, p). restrict is what Fortran promises and udl knows of its own slices. */
typedef void (*rhs_fn)(double *restrict du, const double *restrict u, const double *restrict p, double t);

/* models.c */
void lv(double *restrict du, const double *restrict u, const double *restrict p, double t);
void ude(double *restrict du, const double *restrict u, const double *restrict p, double t);
void node50(double *restrict du, const double *restrict u, const double *restrict p, double t);
void pollu(double *restrict du, const double *restrict u, const double *restrict p, double t);
void pollu_scalar(double *restrict du, const double *restrict u, const double *restrict p, double t);
void bruss32(double *restrict du, const double *restrict u, const double *restrict p, double t);
void dense16(double *restrict du, const double *restrict u, const double *restrict p, double t);
void dense64(double *restrict du, const double *restrict u, const double *restrict p, double t);
void dense128(double *restrict du, const double *restrict u, const double *restrict p, double t);
void dense256(double *restrict du, const double *restrict u, const double *restrict p, double t);

/* gx and gp are written, not added to. */
void ude_vjp(double *restrict gx, double *restrict gp, const double *restrict u, const double *restrict p, const double *restrict l);

/* tsit5.c: u goes from 0 to t1 in place; the result is the number of attempted steps. work holds 9 n. */
long tsit5(rhs_fn f, int n, double *restrict u, const double *p, double t1, double tol, double *restrict work);
long tsit5_lv(double *restrict u, const double *p, double t1, double tol);

/* ensemble.c: count trajectories of Lotka-Volterra on two threads, four parameters each, from u0 on;
 * the states at t1 go to out. */
long ensemble(int specialised, long count, const double *u0, const double *p, double t1, double tol, double *out);

/* machine.c: what the processor can do at best. The results are what keeps the loops alive. */
double fma_chains(long reps, long *flops);
double read_block(const double *x, long bytes, long reps);

#endif
