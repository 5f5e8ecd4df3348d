/* Lotka-Volterra, where it can be inlined. p: alpha, beta, delta, gamma. */
static inline __attribute__((always_inline)) void lv_inline(double *restrict du, const double *restrict u, const double *restrict p, double t) {
	double x = u[0], y = u[1];
	du[0] = p[0] * x - p[1] * x * y;
	du[1] = p[2] * x * y - p[3] * y;
}
