/* Many trajectories, half of them on each of two threads. */
#include <pthread.h>
#include "bench.h"

struct share {
	int specialised;
	long lo, hi, attempts;
	const double *u0, *p;
	double t1, tol, *out;
};

static void *work(void *arg) {
	struct share *s = arg;
	double w[18];
	for (long i = s->lo; i < s->hi; i++) {
		double *u = s->out + 2 * i;
		u[0] = s->u0[0];
		u[1] = s->u0[1];
		s->attempts += s->specialised ? tsit5_lv(u, s->p + 4 * i, s->t1, s->tol) : tsit5(lv, 2, u, s->p + 4 * i, s->t1, s->tol, w);
	}
	return 0;
}

long ensemble(int specialised, long count, const double *u0, const double *p, double t1, double tol, double *out) {
	struct share s[2];
	pthread_t other;
	for (int k = 0; k < 2; k++) s[k] = (struct share){specialised, k * count / 2, (k + 1) * count / 2, 0, u0, p, t1, tol, out};
	int threaded = pthread_create(&other, 0, work, &s[1]) == 0;
	work(&s[0]);
	if (threaded) pthread_join(other, 0);
	else work(&s[1]);
	return s[0].attempts + s[1].attempts;
}
