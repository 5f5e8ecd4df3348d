package method

// rodas4p is the method of order 4 of Steinebach for semi-discretised parabolic problems, with an embedded one of order 3 and his continuous extension of order 3.
//
// G. Steinebach, Order-reduction of ROW-methods for DAEs and method of lines applications, Preprint 1741, Fachbereich Mathematik, TH Darmstadt 1995; the third
// set of the code RODAS of E. Hairer and G. Wanner. The digits are those of that code and of the tables of OrdinaryDiffEq.jl.
var rodas4p = Rosenbrock{
	Name:       "Rodas4P",
	Order:      4,
	EOrder:     3,
	DenseOrder: 3,
	Stability:  "L-stable, stiffly accurate",
	Doc:        "Steinebach's method of order 4 without order reduction on parabolic problems: discretised partial differential equations at tolerances from 1e-3 to 1e-7.",
	Cite:       "Steinebach, Preprint 1741, TH Darmstadt (1995)",

	Stages: 6,
	Gamma:  0.25,
	C:      []float64{0, 0.75, 0.21, 0.63, 1, 1},
	D:      []float64{0.25, -0.5, -0.023504, -0.0362, 0, 0},
	A: [][]float64{
		{},
		{3},
		{1.831036793486759, 0.4955183967433795},
		{2.304376582692669, -0.05249275245743001, -1.176798761832782},
		{-7.170454962423024, -4.741636671481785, -16.31002631330971, -1.062004044111401},
		{-7.170454962423024, -4.741636671481785, -16.31002631330971, -1.062004044111401, 1},
	},
	G: [][]float64{
		{},
		{-12},
		{-8.791795173947035, -2.207865586973518},
		{10.81793056857153, 6.780270611428266, 19.5348594464241},
		{34.19095006749676, 15.49671153725963, 54.7476087596413, 14.16005392148534},
		{34.62605830930532, 15.30084976114473, 56.99955578662667, 18.40807009793095, -5.714285714285717},
	},
	B: []float64{-7.170454962423024, -4.741636671481785, -16.31002631330971, -1.062004044111401, 1, 1},
	E: []float64{0, 0, 0, 0, 0, 1},
	Dense: denseRodas(
		[]float64{-7.170454962423024, -4.741636671481785, -16.31002631330971, -1.062004044111401, 1, 1},
		[][]float64{
			{25.09876703708589, 11.62013104361867, 28.49148307714626, -5.664021568594133, 0, 0},
			{1.638054557396973, -0.7373619806678748, 8.47791821923899, 15.9925314877952, -1.882352941176471, 0},
		}),
}
