/* The models' right-hand sides, and one vector-Jacobian product, by hand. */
#include <math.h>
#include "bench.h"
#include "lv.h"

void lv(double *restrict du, const double *restrict u, const double *restrict p, double t) { lv_inline(du, u, p, t); }

/* A layer's W is out x in, row-major, its bias lies behind it. */
static inline void layer_tanh(int out, int in, const double *restrict W, const double *restrict x, double *restrict y) {
	const double *b = W + out * in;
	for (int i = 0; i < out; i++) {
		double s = b[i];
		for (int j = 0; j < in; j++) s += W[i * in + j] * x[j];
		y[i] = tanh(s);
	}
}

static inline void layer(int out, int in, const double *restrict W, const double *restrict x, double *restrict y) {
	const double *b = W + out * in;
	for (int i = 0; i < out; i++) {
		double s = b[i];
		for (int j = 0; j < in; j++) s += W[i * in + j] * x[j];
		y[i] = s;
	}
}

/* Two states, known linear terms and a network 2-5-5-2. Offsets into p: alpha, delta, W1, b1, W2, b2, W3, b3. */
enum { UDE_W1 = 2, UDE_B1 = UDE_W1 + 10, UDE_W2 = UDE_B1 + 5, UDE_B2 = UDE_W2 + 25, UDE_W3 = UDE_B2 + 5, UDE_B3 = UDE_W3 + 10 };

void ude(double *restrict du, const double *restrict u, const double *restrict p, double t) {
	double h1[5], h2[5], o[2];
	layer_tanh(5, 2, p + UDE_W1, u, h1);
	layer_tanh(5, 5, p + UDE_W2, h1, h2);
	layer(2, 5, p + UDE_W3, h2, o);
	du[0] = p[0] * u[0] + o[0];
	du[1] = -p[1] * u[1] + o[1];
}

void ude_vjp(double *restrict gx, double *restrict gp, const double *restrict u, const double *restrict p, const double *restrict l) {
	const double *W1 = p + UDE_W1, *W2 = p + UDE_W2, *W3 = p + UDE_W3;
	double h1[5], h2[5], d1[5], d2[5];
	layer_tanh(5, 2, W1, u, h1);
	layer_tanh(5, 5, W2, h1, h2);
	gp[0] = l[0] * u[0];
	gp[1] = -l[1] * u[1];
	for (int j = 0; j < 5; j++) {
		d2[j] = (W3[j] * l[0] + W3[5 + j] * l[1]) * (1 - h2[j] * h2[j]);
		gp[UDE_W3 + j] = l[0] * h2[j];
		gp[UDE_W3 + 5 + j] = l[1] * h2[j];
	}
	gp[UDE_B3] = l[0];
	gp[UDE_B3 + 1] = l[1];
	for (int j = 0; j < 5; j++) {
		double s = 0;
		for (int i = 0; i < 5; i++) {
			s += W2[i * 5 + j] * d2[i];
			gp[UDE_W2 + i * 5 + j] = d2[i] * h1[j];
		}
		d1[j] = s * (1 - h1[j] * h1[j]);
	}
	double a = p[0] * l[0], b = -p[1] * l[1];
	for (int i = 0; i < 5; i++) {
		gp[UDE_B2 + i] = d2[i];
		gp[UDE_B1 + i] = d1[i];
		gp[UDE_W1 + 2 * i] = d1[i] * u[0];
		gp[UDE_W1 + 2 * i + 1] = d1[i] * u[1];
		a += W1[2 * i] * d1[i];
		b += W1[2 * i + 1] * d1[i];
	}
	gx[0] = a;
	gx[1] = b;
}

/* A network 2-50-2 on the cubes of the state. p: W1, b1, W2, b2. */
void node50(double *restrict du, const double *restrict u, const double *restrict p, double t) {
	double x[2] = {u[0] * u[0] * u[0], u[1] * u[1] * u[1]}, h[50];
	layer_tanh(50, 2, p, x, h);
	layer(2, 50, p + 150, h, du);
}

/* One layer as large as the state. p: W, b. */
#define DENSE(N) \
	void dense##N(double *restrict du, const double *restrict u, const double *restrict p, double t) { layer_tanh(N, N, p, u, du); }
DENSE(16)
DENSE(64)
DENSE(128)
DENSE(256)

/* The air pollution problem: J. G. Verwer, Gauss-Seidel iteration for stiff ODEs from chemical kinetics, SIAM Journal on
 * Scientific Computing 15 (1994), 1243-1250; equations as in the test set for IVP solvers (Mazzia, Magherini, 2008). */
static inline __attribute__((always_inline)) void pollu_inline(double *restrict f, const double *restrict y, const double *restrict k) {
	double r1 = k[0] * y[0], r2 = k[1] * y[1] * y[3], r3 = k[2] * y[4] * y[1], r4 = k[3] * y[6], r5 = k[4] * y[6];
	double r6 = k[5] * y[6] * y[5], r7 = k[6] * y[8], r8 = k[7] * y[8] * y[5], r9 = k[8] * y[10] * y[1], r10 = k[9] * y[10] * y[0];
	double r11 = k[10] * y[12], r12 = k[11] * y[9] * y[1], r13 = k[12] * y[13], r14 = k[13] * y[0] * y[5], r15 = k[14] * y[2];
	double r16 = k[15] * y[3], r17 = k[16] * y[3], r18 = k[17] * y[15], r19 = k[18] * y[15], r20 = k[19] * y[16] * y[5];
	double r21 = k[20] * y[18], r22 = k[21] * y[18], r23 = k[22] * y[0] * y[3], r24 = k[23] * y[18] * y[0], r25 = k[24] * y[19];
	f[0] = -r1 - r10 - r14 - r23 - r24 + r2 + r3 + r9 + r11 + r12 + r22 + r25;
	f[1] = -r2 - r3 - r9 - r12 + r1 + r21;
	f[2] = -r15 + r1 + r17 + r19 + r22;
	f[3] = -r2 - r16 - r17 - r23 + r15;
	f[4] = -r3 + 2 * r4 + r6 + r7 + r13 + r20;
	f[5] = -r6 - r8 - r14 - r20 + r3 + 2 * r18;
	f[6] = -r4 - r5 - r6 + r13;
	f[7] = r4 + r5 + r6 + r7;
	f[8] = -r7 - r8;
	f[9] = -r12 + r7 + r9;
	f[10] = -r9 - r10 + r8 + r11;
	f[11] = r9;
	f[12] = -r11 + r10;
	f[13] = -r13 + r12;
	f[14] = r14;
	f[15] = -r18 - r19 + r16;
	f[16] = -r20;
	f[17] = r20;
	f[18] = -r21 - r22 - r24 + r23 + r25;
	f[19] = -r25 + r24;
}

void pollu(double *restrict du, const double *restrict u, const double *restrict p, double t) { pollu_inline(du, u, p); }

/* gcc 12 packs these reactions into vectors, and the shuffles cost more than is won: this is the faster C. */
__attribute__((optimize("no-tree-slp-vectorize"))) void pollu_scalar(double *restrict du, const double *restrict u, const double *restrict p, double t) {
	pollu_inline(du, u, p);
}

/* The Brusselator on a periodic grid, all of u before all of v. p: A, B, diffusion over the squared spacing. The first and last
 * columns are taken out of the inner loop, so that it has neither a modulo nor a condition and becomes vectors. */
#define N 32

static inline __attribute__((always_inline)) void bruss_point(double *restrict du, const double *restrict u,
	int c, int north, int south, int west, int east, double A, double B, double d) {
	const double *v = u + N * N;
	double *dv = du + N * N;
	double x = u[c], y = v[c], x2y = x * x * y;
	du[c] = B + x2y - (A + 1) * x + d * (u[north] + u[south] + u[west] + u[east] - 4 * x);
	dv[c] = A * x - x2y + d * (v[north] + v[south] + v[west] + v[east] - 4 * y);
}

void bruss32(double *restrict du, const double *restrict u, const double *restrict p, double t) {
	double A = p[0], B = p[1], d = p[2];
	for (int i = 0; i < N; i++) {
		int n = (i > 0 ? i - 1 : N - 1) * N, s = (i < N - 1 ? i + 1 : 0) * N, c = i * N;
		bruss_point(du, u, c, n, s, c + N - 1, c + 1, A, B, d);
		for (int j = 1; j < N - 1; j++) bruss_point(du, u, c + j, n + j, s + j, c + j - 1, c + j + 1, A, B, d);
		bruss_point(du, u, c + N - 1, n + N - 1, s + N - 1, c + N - 2, c, A, B, d);
	}
}
