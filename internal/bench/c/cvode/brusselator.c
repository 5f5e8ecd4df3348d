/* The Brusselator with diffusion, in one dimension with fixed values at the ends and in two on a periodic square: Hairer and Wanner,
 * Solving Ordinary Differential Equations II, IV.10. */
#include <sunmatrix/sunmatrix_band.h>
#include "cvode.h"

/* One dimension: u1, v1, u2, v2, ..., so that the band is narrow. */
#define D1 (0.02 * (N1 + 1) * (N1 + 1))

int bruss1d(realtype t, N_Vector yy, N_Vector yd, void *data) {
	const double *restrict y = NV_DATA_S(yy);
	double *restrict d = NV_DATA_S(yd);
	for (int i = 0; i < 2 * N1; i += 2) {
		double u = y[i], v = y[i + 1], u2v = u * u * v;
		double ul = i > 0 ? y[i - 2] : 1, ur = i < 2 * N1 - 2 ? y[i + 2] : 1;
		double vl = i > 0 ? y[i - 1] : 3, vr = i < 2 * N1 - 2 ? y[i + 3] : 3;
		d[i] = 1 + u2v - 4 * u + D1 * (ul - 2 * u + ur);
		d[i + 1] = 3 * u - u2v + D1 * (vl - 2 * v + vr);
	}
	return 0;
}

int bruss1d_jac(realtype t, N_Vector yy, N_Vector fy, SUNMatrix J, void *data, N_Vector a, N_Vector b, N_Vector c) {
	const double *restrict y = NV_DATA_S(yy);
	for (int i = 0; i < 2 * N1; i += 2) {
		double u = y[i], uv2 = 2 * u * y[i + 1];
		double *pu = SM_COLUMN_B(J, i), *pv = SM_COLUMN_B(J, i + 1);
		/* Element k of a column is the row k below the diagonal. */
		pu[0] = uv2 - 4 - 2 * D1;
		pu[1] = 3 - uv2;
		pv[-1] = u * u;
		pv[0] = -u * u - 2 * D1;
		if (i > 0) pu[-2] = pv[-2] = D1;
		if (i < 2 * N1 - 2) pu[2] = pv[2] = D1;
	}
	return 0;
}

/* Two dimensions: all u by rows, then all v. The book's source of u in a disk begins at t = 1.1; here it is there from the start, so that
 * nothing jumps. */
#define A2 3.4
#define D2 (0.1 * N2 * N2)
#define NN (N2 * N2)

static double source[NN];

void bruss2d_init(void) {
	for (int i = 0; i < N2; i++)
		for (int j = 0; j < N2; j++) {
			double x = (double)i / N2 - 0.3, y = (double)j / N2 - 0.6;
			source[i * N2 + j] = x * x + y * y <= 0.01 ? 5 : 0;
		}
}

/* lap is D2 times the five-point Laplacian of a row, with its neighbours before and after. */
static inline double lap(const double *restrict up, const double *restrict x, const double *restrict down, int j) {
	double left = j > 0 ? x[j - 1] : x[N2 - 1], right = j < N2 - 1 ? x[j + 1] : x[0];
	return D2 * (up[j] + down[j] + left + right - 4 * x[j]);
}

/* ROWS runs over the rows with its neighbours; INSIDE over a row, its ends apart so that the middle is vectorised. */
#define ROWS for (int i = 0, prev = (N2 - 1) * N2, next = N2, at = 0; i < N2; i++, prev = at, at += N2, next = i == N2 - 1 ? 0 : at + N2)
#define INSIDE(body) do { { const int j = 0; body } for (int j = 1; j < N2 - 1; j++) { body } { const int j = N2 - 1; body } } while (0)

int bruss2d(realtype t, N_Vector yy, N_Vector yd, void *data) {
	const double *restrict u = NV_DATA_S(yy), *restrict v = u + NN;
	double *restrict du = NV_DATA_S(yd), *restrict dv = du + NN;
	ROWS {
		INSIDE({
			double u2v = u[at + j] * u[at + j] * v[at + j];
			du[at + j] = 1 + source[at + j] + u2v - (A2 + 1) * u[at + j] + lap(u + prev, u + at, u + next, j);
			dv[at + j] = A2 * u[at + j] - u2v + lap(v + prev, v + at, v + next, j);
		});
	}
	return 0;
}

int bruss2d_jtv(N_Vector vv, N_Vector Jv, realtype t, N_Vector yy, N_Vector fy, void *data, N_Vector tmp) {
	const double *restrict u = NV_DATA_S(yy), *restrict v = u + NN;
	const double *restrict p = NV_DATA_S(vv), *restrict q = p + NN;
	double *restrict jp = NV_DATA_S(Jv), *restrict jq = jp + NN;
	ROWS {
		INSIDE({
			double uu = u[at + j] * u[at + j];
			double uv2 = 2 * u[at + j] * v[at + j];
			double e = uv2 * p[at + j] + uu * q[at + j];
			jp[at + j] = e - (A2 + 1) * p[at + j] + lap(p + prev, p + at, p + next, j);
			jq[at + j] = A2 * p[at + j] - e + lap(q + prev, q + at, q + next, j);
		});
	}
	return 0;
}
