package compiler_test

// Problems of the literature, in the form in which E. Hairer, G. Wanner, Solving Ordinary Differential Equations II, 2nd edition, Springer 1996, section
// IV.10, and the test set of F. Mazzia, C. Magherini, Test Set for Initial Value Problem Solvers, release 2.4 (2008), have them.
var problems = map[string]string{
	"robertson": `model Robertson { param k1 = 0.04, k2 = 3e7, k3 = 1e4; state y1 = 1, y2 = 0, y3 = 0
  y1' = -k1*y1 + k3*y2*y3
  y2' = k1*y1 - k3*y2*y3 - k2*y2^2
  y3' = k2*y2^2 }`,
	"vdpol": `model VanDerPol { param mu = 1000; state y1 = 2, y2 = 0; y1' = y2; y2' = mu*(1 - y1^2)*y2 - y1 }`,
	"orego": `model Oregonator { param s = 77.27, q = 8.375e-6, w = 0.161; state y1 = 1, y2 = 2, y3 = 3
  y1' = s*(y2 + y1*(1 - q*y1 - y2))
  y2' = (y3 - (1 + y1)*y2)/s
  y3' = w*(y1 - y3) }`,
	"hires": `model HIRES { param k = 280; state y1 = 1, y2 = 0, y3 = 0, y4 = 0, y5 = 0, y6 = 0, y7 = 0, y8 = 0.0057
  y1' = -1.71*y1 + 0.43*y2 + 8.32*y3 + 0.0007
  y2' = 1.71*y1 - 8.75*y2
  y3' = -10.03*y3 + 0.43*y4 + 0.035*y5
  y4' = 8.32*y2 + 1.71*y3 - 1.12*y4
  y5' = -1.745*y5 + 0.43*y6 + 0.43*y7
  y6' = -k*y6*y8 + 0.69*y4 + 1.71*y5 - 0.43*y6 + 0.69*y7
  y7' = k*y6*y8 - 1.81*y7
  y8' = -k*y6*y8 + 1.81*y7 }`,
	"pollu": pollu,
	"bruss1d": `model Brusselator { param A = 1, B = 3, a = 0.02; const n = 200, s = (n + 1)^2; state u[n] = 1, v[n] = 3
  u[1]' = A + u[1]^2*v[1] - (B + 1)*u[1] + a*s*(1 - 2*u[1] + u[2])
  u[i in 2..n-1]' = A + u[i]^2*v[i] - (B + 1)*u[i] + a*s*(u[i-1] - 2*u[i] + u[i+1])
  u[n]' = A + u[n]^2*v[n] - (B + 1)*u[n] + a*s*(u[n-1] - 2*u[n] + 1)
  v[1]' = B*u[1] - u[1]^2*v[1] + a*s*(3 - 2*v[1] + v[2])
  v[i in 2..n-1]' = B*u[i] - u[i]^2*v[i] + a*s*(v[i-1] - 2*v[i] + v[i+1])
  v[n]' = B*u[n] - u[n]^2*v[n] + a*s*(v[n-1] - 2*v[n] + 3) }`,
	"bruss2d": `model Brusselator2 { param A = 3.4, B = 1, al = 10; const n = 64; state u[n, n] = 1, v[n, n] = 2
  u[i, j]' = B + u[i,j]^2*v[i,j] - (A + 1)*u[i,j] + al*(u[mod(i, n) + 1, j] + u[mod(i + n - 2, n) + 1, j] + u[i, mod(j, n) + 1] + u[i, mod(j + n - 2, n) + 1] - 4*u[i,j])
  v[i, j]' = A*u[i,j] - u[i,j]^2*v[i,j] + al*(v[mod(i, n) + 1, j] + v[mod(i + n - 2, n) + 1, j] + v[i, mod(j, n) + 1] + v[i, mod(j + n - 2, n) + 1] - 4*v[i,j]) }`,
	"driven":  `model Driven { param w = 2, n = 2.5; state x = 1, y = 0.5; x' = sin(w*t)*y - x^n; y' = exp(-t)*x - y*abs(y) }`,
	"dense60": `model Dense { const n = 60; param A[n, n] = 0.01; state u[n] = 0.5; u' = A@tanh(u) - u*u }`,
}

const pollu = `
model Pollution {
  param k1 = 0.35
  param k2 = 26.6
  param k3 = 12300.0
  param k4 = 0.00086
  param k5 = 0.00082
  param k6 = 15000.0
  param k7 = 0.00013
  param k8 = 24000.0
  param k9 = 16500.0
  param k10 = 9000.0
  param k11 = 0.022
  param k12 = 12000.0
  param k13 = 1.88
  param k14 = 16300.0
  param k15 = 4800000.0
  param k16 = 0.00035
  param k17 = 0.0175
  param k18 = 1e8
  param k19 = 4.44e11
  param k20 = 1240.0
  param k21 = 2.1
  param k22 = 5.78
  param k23 = 0.0474
  param k24 = 1780.0
  param k25 = 3.12
  state y1 = 0.0, y2 = 0.2, y3 = 0.0, y4 = 0.04, y5 = 0.0, y6 = 0.0, y7 = 0.1, y8 = 0.3, y9 = 0.01, y10 = 0.0, y11 = 0.0, y12 = 0.0, y13 = 0.0, y14 = 0.0, y15 = 0.0, y16 = 0.0, y17 = 0.007, y18 = 0.0, y19 = 0.0, y20 = 0.0
  let r1 = k1*y1
  let r2 = k2*y2*y4
  let r3 = k3*y5*y2
  let r4 = k4*y7
  let r5 = k5*y7
  let r6 = k6*y7*y6
  let r7 = k7*y9
  let r8 = k8*y9*y6
  let r9 = k9*y11*y2
  let r10 = k10*y11*y1
  let r11 = k11*y13
  let r12 = k12*y10*y2
  let r13 = k13*y14
  let r14 = k14*y1*y6
  let r15 = k15*y3
  let r16 = k16*y4
  let r17 = k17*y4
  let r18 = k18*y16
  let r19 = k19*y16
  let r20 = k20*y17*y6
  let r21 = k21*y19
  let r22 = k22*y19
  let r23 = k23*y1*y4
  let r24 = k24*y19*y1
  let r25 = k25*y20
  y1' = -r1-r10-r14-r23-r24+r2+r3+r9+r11+r12+r22+r25
  y2' = -r2-r3-r9-r12+r1+r21
  y3' = -r15+r1+r17+r19+r22
  y4' = -r2-r16-r17-r23+r15
  y5' = -r3+2*r4+r6+r7+r13+r20
  y6' = -r6-r8-r14-r20+r3+2*r18
  y7' = -r4-r5-r6+r13
  y8' = r4+r5+r6+r7
  y9' = -r7-r8
  y10' = -r12+r7+r9
  y11' = -r9-r10+r8+r11
  y12' = r9
  y13' = -r11+r10
  y14' = -r13+r12
  y15' = r14
  y16' = -r18-r19+r16
  y17' = -r20
  y18' = r20
  y19' = -r21-r22-r24+r23+r25
  y20' = -r25+r24
}`
