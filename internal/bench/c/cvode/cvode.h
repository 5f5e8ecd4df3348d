/* The side of SUNDIALS' CVODE. Ordinary C for gcc -O3 -march=native, and CVODE used as its manual says somebody who
 * cares about speed should: memory and linear solver made once, CVodeReInit before each solve, analytic Jacobians,
 * the linear solver that suits the problem. */
#ifndef BENCH_CVODE_H
#define BENCH_CVODE_H

#include <cvode/cvode.h>
#include <nvector/nvector_serial.h>
#include <sundials/sundials_matrix.h>

enum kind { DENSE, BANDED, SPBCGS };

/* A problem y' = f(t, y) with what its linear solver needs. */
struct problem {
	const char *name;
	enum kind kind;
	long n;
	long width;            /* of half the band, on each side; for SPBCGS the most iterations */
	CVRhsFn f;
	CVLsJacFn jac;         /* into the matrix of the kind */
	CVLsJacTimesVecFn jtv; /* for SPBCGS */
};

/* problems.c */
extern const struct problem problems[];

/* brusselator.c */
#define N1 200 /* points of the Brusselator in one dimension */
#define N2 64  /* points in each of two dimensions */
int bruss1d(realtype t, N_Vector y, N_Vector yd, void *data);
int bruss1d_jac(realtype t, N_Vector y, N_Vector fy, SUNMatrix J, void *data, N_Vector a, N_Vector b, N_Vector c);
void bruss2d_init(void); /* to be called before the others */
int bruss2d(realtype t, N_Vector y, N_Vector yd, void *data);
int bruss2d_jtv(N_Vector v, N_Vector Jv, realtype t, N_Vector y, N_Vector fy, void *data, N_Vector tmp);

#endif
