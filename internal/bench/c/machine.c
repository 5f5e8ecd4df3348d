/* What the processor can do at best, with the widest vectors that it has. */
#include "bench.h"

#if defined(__AVX512F__)
#define WIDTH 8
#elif defined(__AVX__)
#define WIDTH 4
#else
#define WIDTH 2
#endif
typedef double vec __attribute__((vector_size(8 * WIDTH)));
typedef double vec_u __attribute__((vector_size(8 * WIDTH), aligned(8), may_alias)); /* loads from anywhere */

static vec all(double x) {
	vec v;
	for (int i = 0; i < WIDTH; i++) v[i] = x;
	return v;
}

static double total(vec v) {
	double s = 0;
	for (int i = 0; i < WIDTH; i++) s += v[i];
	return s;
}

/* Which registers hold a vector, in the words of inline assembly. */
#if defined(__AVX512F__)
#define IN_REGISTER "+v"
#elif defined(__x86_64__)
#define IN_REGISTER "+x"
#else
#define IN_REGISTER "+w"
#endif

/* Twelve chains that do not wait for each other: enough for two units with a latency of five or six, and few enough for sixteen
 * registers. The empty assembly keeps each chain in a register of its own, and the compiler from joining steps. */
#define CHAINS(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11)
#define DECLARE(k) vec a##k = all(k);
#define STEP(k) \
	a##k = a##k * m + c; \
	__asm__ volatile("" : IN_REGISTER(a##k));
#define ADD(k) sum += a##k;

double fma_chains(long reps, long *flops) {
	vec m = all(0.999999), c = all(1e-6), sum = all(0);
	CHAINS(DECLARE)
	for (long r = 0; r < reps; r++) {
		CHAINS(STEP)
	}
	CHAINS(ADD)
	*flops = reps * 12 * WIDTH * 2;
	return total(sum);
}

/* Reads a block again and again, so that it stays in the nearest cache that holds it. */
#define EIGHT(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7)
#define LOAD(k) a##k += *(const vec_u *)(x + i + k * WIDTH);

double read_block(const double *x, long bytes, long reps) {
	long n = bytes / 8;
	vec sum = all(0);
	EIGHT(DECLARE)
	for (long r = 0; r < reps; r++) {
		for (long i = 0; i + 8 * WIDTH <= n; i += 8 * WIDTH) {
			EIGHT(LOAD)
		}
		__asm__ volatile("" ::: "memory");
	}
	EIGHT(ADD)
	return total(sum);
}
