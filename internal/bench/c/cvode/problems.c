/* The problems with dense Jacobians, and the table of all. Robertson (1966); the Oregonator of Field and Noyes (1974); van der Pol
 * with mu = 1e3; HIRES of Schaefer (1975); the air pollution of Verwer (1994). Formulas as in the test set of Mazzia and Magherini. */
#include <sunmatrix/sunmatrix_dense.h>
#include "cvode.h"

#define Y const double *restrict y = NV_DATA_S(yy)
#define RHS(name) static int name(realtype t, N_Vector yy, N_Vector yd, void *data)
#define JAC(name) static int name(realtype t, N_Vector yy, N_Vector fy, SUNMatrix J, void *data, N_Vector a, N_Vector b, N_Vector c)
/* CVODE sets the matrix to zero before it asks for a Jacobian. j is stored by columns. */
#define MATRIX(n) double (*restrict j)[n] = (double (*)[n])SM_DATA_D(J)

RHS(robertson) {
	Y;
	double *restrict d = NV_DATA_S(yd);
	double r1 = 0.04 * y[0], r2 = 1e4 * y[1] * y[2], r3 = 3e7 * y[1] * y[1];
	d[0] = r2 - r1;
	d[1] = r1 - r2 - r3;
	d[2] = r3;
	return 0;
}

JAC(robertson_jac) {
	Y;
	MATRIX(3);
	j[0][0] = -0.04;
	j[0][1] = 0.04;
	j[1][0] = 1e4 * y[2];
	j[1][2] = 6e7 * y[1];
	j[1][1] = -j[1][0] - j[1][2];
	j[2][0] = 1e4 * y[1];
	j[2][1] = -j[2][0];
	return 0;
}

RHS(orego) {
	Y;
	double *restrict d = NV_DATA_S(yd);
	d[0] = 77.27 * (y[1] + y[0] * (1 - 8.375e-6 * y[0] - y[1]));
	d[1] = (y[2] - (1 + y[0]) * y[1]) * (1 / 77.27);
	d[2] = 0.161 * (y[0] - y[2]);
	return 0;
}

JAC(orego_jac) {
	Y;
	MATRIX(3);
	j[0][0] = 77.27 * (1 - 2 * 8.375e-6 * y[0] - y[1]);
	j[0][1] = -y[1] * (1 / 77.27);
	j[0][2] = 0.161;
	j[1][0] = 77.27 * (1 - y[0]);
	j[1][1] = -(1 + y[0]) * (1 / 77.27);
	j[2][1] = 1 / 77.27;
	j[2][2] = -0.161;
	return 0;
}

RHS(vdpol) {
	Y;
	double *restrict d = NV_DATA_S(yd);
	d[0] = y[1];
	d[1] = 1000 * (1 - y[0] * y[0]) * y[1] - y[0];
	return 0;
}

JAC(vdpol_jac) {
	Y;
	MATRIX(2);
	j[0][1] = -2000 * y[0] * y[1] - 1;
	j[1][0] = 1;
	j[1][1] = 1000 * (1 - y[0] * y[0]);
	return 0;
}

RHS(hires) {
	Y;
	double *restrict d = NV_DATA_S(yd);
	double r = 280 * y[5] * y[7];
	d[0] = -1.71 * y[0] + 0.43 * y[1] + 8.32 * y[2] + 0.0007;
	d[1] = 1.71 * y[0] - 8.75 * y[1];
	d[2] = -10.03 * y[2] + 0.43 * y[3] + 0.035 * y[4];
	d[3] = 8.32 * y[1] + 1.71 * y[2] - 1.12 * y[3];
	d[4] = -1.745 * y[4] + 0.43 * (y[5] + y[6]);
	d[5] = -r + 0.69 * y[3] + 1.71 * y[4] - 0.43 * y[5] + 0.69 * y[6];
	d[6] = r - 1.81 * y[6];
	d[7] = -d[6];
	return 0;
}

JAC(hires_jac) {
	Y;
	MATRIX(8);
	j[0][0] = -1.71, j[0][1] = 1.71;
	j[1][0] = 0.43, j[1][1] = -8.75, j[1][3] = 8.32;
	j[2][0] = 8.32, j[2][2] = -10.03, j[2][3] = 1.71;
	j[3][2] = 0.43, j[3][3] = -1.12, j[3][5] = 0.69;
	j[4][2] = 0.035, j[4][4] = -1.745, j[4][5] = 1.71;
	j[5][4] = 0.43, j[5][5] = -280 * y[7] - 0.43, j[5][6] = 280 * y[7], j[5][7] = -j[5][6];
	j[6][4] = 0.43, j[6][5] = 0.69, j[6][6] = -1.81, j[6][7] = 1.81;
	j[7][5] = -280 * y[5], j[7][6] = 280 * y[5], j[7][7] = -j[7][6];
	return 0;
}

static const double k[26] = {0, .35, 26.6, 12300, .00086, .00082, 15000, .00013, 24000, 16500, 9000, .022, 12000, 1.88, 16300, 4.8e6,
	.00035, .0175, 1e8, 4.44e11, 1240, 2.1, 5.78, .0474, 1780, 3.12};

RHS(pollu) {
	const double *restrict y = NV_DATA_S(yy) - 1; /* the problem counts from 1 */
	double *restrict d = NV_DATA_S(yd) - 1;
	double r1 = k[1] * y[1], r2 = k[2] * y[2] * y[4], r3 = k[3] * y[5] * y[2], r4 = k[4] * y[7], r5 = k[5] * y[7];
	double r6 = k[6] * y[7] * y[6], r7 = k[7] * y[9], r8 = k[8] * y[9] * y[6], r9 = k[9] * y[11] * y[2], r10 = k[10] * y[11] * y[1];
	double r11 = k[11] * y[13], r12 = k[12] * y[10] * y[2], r13 = k[13] * y[14], r14 = k[14] * y[1] * y[6], r15 = k[15] * y[3];
	double r16 = k[16] * y[4], r17 = k[17] * y[4], r18 = k[18] * y[16], r19 = k[19] * y[16], r20 = k[20] * y[17] * y[6];
	double r21 = k[21] * y[19], r22 = k[22] * y[19], r23 = k[23] * y[1] * y[4], r24 = k[24] * y[19] * y[1], r25 = k[25] * y[20];
	d[1] = -r1 - r10 - r14 - r23 - r24 + r2 + r3 + r9 + r11 + r12 + r22 + r25;
	d[2] = -r2 - r3 - r9 - r12 + r1 + r21;
	d[3] = -r15 + r1 + r17 + r19 + r22;
	d[4] = -r2 - r16 - r17 - r23 + r15;
	d[5] = -r3 + r4 + r4 + r6 + r7 + r13 + r20;
	d[6] = -r6 - r8 - r14 - r20 + r3 + r18 + r18;
	d[7] = -r4 - r5 - r6 + r13;
	d[8] = r4 + r5 + r6 + r7;
	d[9] = -r7 - r8;
	d[10] = -r12 + r7 + r9;
	d[11] = -r9 - r10 + r8 + r11;
	d[12] = r9;
	d[13] = -r11 + r10;
	d[14] = -r13 + r12;
	d[15] = r14;
	d[16] = -r18 - r19 + r16;
	d[17] = -r20;
	d[18] = r20;
	d[19] = -r21 - r22 - r24 + r23 + r25;
	d[20] = -r25 + r24;
	return 0;
}

JAC(pollu_jac) {
	const double *restrict y = NV_DATA_S(yy) - 1;
	MATRIX(20);
	double (*restrict m)[20] = j - 1;
#define M(row, col) m[col][row - 1]
	/* Reactions of one reactant, then of two: their derivatives by each reactant go into the rows that they feed. */
	M(1, 1) = -k[1] - k[10] * y[11] - k[14] * y[6] - k[23] * y[4] - k[24] * y[19];
	M(1, 2) = k[2] * y[4] + k[3] * y[5] + k[9] * y[11] + k[12] * y[10];
	M(1, 4) = -k[23] * y[1] + k[2] * y[2];
	M(1, 5) = k[3] * y[2];
	M(1, 6) = -k[14] * y[1];
	M(1, 10) = k[12] * y[2];
	M(1, 11) = -k[10] * y[1] + k[9] * y[2];
	M(1, 13) = k[11];
	M(1, 19) = -k[24] * y[1] + k[22];
	M(1, 20) = k[25];
	M(2, 1) = k[1];
	M(2, 2) = -M(1, 2);
	M(2, 4) = -k[2] * y[2];
	M(2, 5) = -k[3] * y[2];
	M(2, 10) = -k[12] * y[2];
	M(2, 11) = -k[9] * y[2];
	M(2, 19) = k[21];
	M(3, 1) = k[1];
	M(3, 3) = -k[15];
	M(3, 4) = k[17];
	M(3, 16) = k[19];
	M(3, 19) = k[22];
	M(4, 1) = -k[23] * y[4];
	M(4, 2) = -k[2] * y[4];
	M(4, 3) = k[15];
	M(4, 4) = -k[2] * y[2] - k[16] - k[17] - k[23] * y[1];
	M(5, 2) = -k[3] * y[5];
	M(5, 5) = -k[3] * y[2];
	M(5, 6) = k[6] * y[7] + k[20] * y[17];
	M(5, 7) = 2 * k[4] + k[6] * y[6];
	M(5, 9) = k[7];
	M(5, 14) = k[13];
	M(5, 17) = k[20] * y[6];
	M(6, 1) = -k[14] * y[6];
	M(6, 2) = k[3] * y[5];
	M(6, 5) = k[3] * y[2];
	M(6, 6) = -k[6] * y[7] - k[8] * y[9] - k[14] * y[1] - k[20] * y[17];
	M(6, 7) = -k[6] * y[6];
	M(6, 9) = -k[8] * y[6];
	M(6, 16) = 2 * k[18];
	M(6, 17) = -k[20] * y[6];
	M(7, 6) = -k[6] * y[7];
	M(7, 7) = -k[4] - k[5] - k[6] * y[6];
	M(7, 14) = k[13];
	M(8, 6) = k[6] * y[7];
	M(8, 7) = k[4] + k[5] + k[6] * y[6];
	M(8, 9) = k[7];
	M(9, 6) = -k[8] * y[9];
	M(9, 9) = -k[7] - k[8] * y[6];
	M(10, 2) = -k[12] * y[10] + k[9] * y[11];
	M(10, 9) = k[7];
	M(10, 10) = -k[12] * y[2];
	M(10, 11) = k[9] * y[2];
	M(11, 1) = -k[10] * y[11];
	M(11, 2) = -k[9] * y[11];
	M(11, 6) = k[8] * y[9];
	M(11, 9) = k[8] * y[6];
	M(11, 11) = -k[9] * y[2] - k[10] * y[1];
	M(11, 13) = k[11];
	M(12, 2) = k[9] * y[11];
	M(12, 11) = k[9] * y[2];
	M(13, 1) = k[10] * y[11];
	M(13, 11) = k[10] * y[1];
	M(13, 13) = -k[11];
	M(14, 2) = k[12] * y[10];
	M(14, 10) = k[12] * y[2];
	M(14, 14) = -k[13];
	M(15, 1) = k[14] * y[6];
	M(15, 6) = k[14] * y[1];
	M(16, 4) = k[16];
	M(16, 16) = -k[18] - k[19];
	M(17, 6) = -k[20] * y[17];
	M(17, 17) = -k[20] * y[6];
	M(18, 6) = k[20] * y[17];
	M(18, 17) = k[20] * y[6];
	M(19, 1) = -k[24] * y[19] + k[23] * y[4];
	M(19, 4) = k[23] * y[1];
	M(19, 19) = -k[21] - k[22] - k[24] * y[1];
	M(19, 20) = k[25];
	M(20, 1) = k[24] * y[19];
	M(20, 19) = k[24] * y[1];
	M(20, 20) = -k[25];
	return 0;
}

/* THE table of problems. In two dimensions BiCGStab without a preconditioner is the fastest of what was tried with CVODE: at rtol 1e-4, 1e-6, 1e-8, 1e-10
 * it took 0.49, 0.75, 1.14, 1.88 s of processor time; GMRES in a Krylov space of 20 took 1.05, 1.41, 1.85, 2.59 s, of 10 or 40 about as much; with a
 * preconditioner of the 2 by 2 blocks on the diagonal 0.80, 1.07, 2.13, 3.33 s. KLU took more than ten times as long, a factorisation being some 0.2 s. */
const struct problem problems[] = {
	{.name = "robertson", .kind = DENSE, .n = 3, .f = robertson, .jac = robertson_jac},
	{.name = "orego", .kind = DENSE, .n = 3, .f = orego, .jac = orego_jac},
	{.name = "vdpol", .kind = DENSE, .n = 2, .f = vdpol, .jac = vdpol_jac},
	{.name = "hires", .kind = DENSE, .n = 8, .f = hires, .jac = hires_jac},
	{.name = "pollu", .kind = DENSE, .n = 20, .f = pollu, .jac = pollu_jac},
	{.name = "bruss1d", .kind = BANDED, .n = 2 * N1, .width = 2, .f = bruss1d, .jac = bruss1d_jac},
	{.name = "bruss2d", .kind = SPBCGS, .n = 2 * N2 * N2, .width = 20, .f = bruss2d, .jtv = bruss2d_jtv},
	{0},
};
