/* An adaptive Tsit5, without outputs on the way.
 *
 * Ch. Tsitouras, Runge-Kutta pairs of order 5(4) satisfying only the first column simplifying assumption, Computers and
 * Mathematics with Applications 62 (2011), 770-775. Step sizes by a PI controller, exponents 0.7/5 and 0.4/5. */
#include <math.h>
#include "bench.h"
#include "lv.h"

static const double c2 = 0.161, c3 = 0.327, c4 = 0.9, c5 = 0.9800255409045097;
static const double a21 = 0.161;
static const double a31 = -0.008480655492356989, a32 = 0.335480655492357;
static const double a41 = 2.8971530571054935, a42 = -6.359448489975075, a43 = 4.3622954328695815;
static const double a51 = 5.325864828439257, a52 = -11.748883564062828, a53 = 7.4955393428898365, a54 = -0.09249506636175525;
static const double a61 = 5.86145544294642, a62 = -12.92096931784711, a63 = 8.159367898576159, a64 = -0.071584973281401, a65 = -0.028269050394068383;
static const double b1 = 0.09646076681806523, b2 = 0.01, b3 = 0.4798896504144996, b4 = 1.379008574103742, b5 = -3.290069515436081, b6 = 2.324710524099774;
static const double e1 = -0.00178001105222577714, e2 = -0.0008164344596567469, e3 = 0.007880878010261995, e4 = -0.1447110071732629,
                    e5 = 0.5823571654525552, e6 = -0.45808210592918697, e7 = 0.015151515151515152;

/* The loop, for any f and n. Where both are known, everything unrolls. */
static inline __attribute__((always_inline)) long loop(rhs_fn f, int n, double *restrict u, const double *p, double t1, double tol, double *restrict w) {
	double *k1 = w, *k2 = w + n, *k3 = w + 2 * n, *k4 = w + 3 * n, *k5 = w + 4 * n, *k6 = w + 5 * n, *k7 = w + 6 * n;
	double *y = w + 7 * n, *un = w + 8 * n;
	double t = 0, h = 1e-3, last = 1e-4; /* last: the squared error of the step before */
	long attempts = 0;
	f(k1, u, p, t);
	while (t < t1) {
		if (t + h > t1) h = t1 - t;
		attempts++;
		for (int i = 0; i < n; i++) y[i] = u[i] + h * (a21 * k1[i]);
		f(k2, y, p, t + c2 * h);
		for (int i = 0; i < n; i++) y[i] = u[i] + h * (a31 * k1[i] + a32 * k2[i]);
		f(k3, y, p, t + c3 * h);
		for (int i = 0; i < n; i++) y[i] = u[i] + h * (a41 * k1[i] + a42 * k2[i] + a43 * k3[i]);
		f(k4, y, p, t + c4 * h);
		for (int i = 0; i < n; i++) y[i] = u[i] + h * (a51 * k1[i] + a52 * k2[i] + a53 * k3[i] + a54 * k4[i]);
		f(k5, y, p, t + c5 * h);
		for (int i = 0; i < n; i++) y[i] = u[i] + h * (a61 * k1[i] + a62 * k2[i] + a63 * k3[i] + a64 * k4[i] + a65 * k5[i]);
		f(k6, y, p, t + h);
		for (int i = 0; i < n; i++) un[i] = u[i] + h * (b1 * k1[i] + b2 * k2[i] + b3 * k3[i] + b4 * k4[i] + b5 * k5[i] + b6 * k6[i]);
		f(k7, un, p, t + h);
		double s = 0;
		for (int i = 0; i < n; i++) {
			double e = h * (e1 * k1[i] + e2 * k2[i] + e3 * k3[i] + e4 * k4[i] + e5 * k5[i] + e6 * k6[i] + e7 * k7[i]);
			double a = fabs(u[i]), b = fabs(un[i]);
			e /= tol + tol * (a > b ? a : b);
			s += e * e;
		}
		double err = s / n; /* squared, so the exponents are halved */
		if (err < 1e-20) err = 1e-20;
		if (err <= 1) {
			double fac = 0.9 * pow(err, -0.07) * pow(last, 0.02);
			if (fac > 5) fac = 5;
			if (fac < 0.2) fac = 0.2;
			last = err;
			t += h;
			h *= fac;
			for (int i = 0; i < n; i++) {
				u[i] = un[i];
				k1[i] = k7[i];
			}
		} else {
			double fac = 0.9 * pow(err, -0.1);
			if (fac < 0.2) fac = 0.2;
			h *= fac;
		}
	}
	return attempts;
}

long tsit5(rhs_fn f, int n, double *restrict u, const double *p, double t1, double tol, double *restrict work) {
	return loop(f, n, u, p, t1, tol, work);
}

long tsit5_lv(double *restrict u, const double *p, double t1, double tol) {
	double work[18];
	return loop(lv_inline, 2, u, p, t1, tol, work);
}
