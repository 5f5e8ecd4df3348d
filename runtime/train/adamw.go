package train

// Adam with decoupled weight decay: the decay pulls on the weights themselves and does not pass
// through the means that scale the gradient.
//
// I. Loshchilov, F. Hutter, Decoupled weight decay regularization, 7th International Conference
// on Learning Representations, 2019, arXiv:1711.05101, algorithm 2.

func runAdamW(r *run, s *Stage) (Status, error) {
	a := newAdam(r, s)
	a.decay, a.decays = s.value("decay"), r.set.Decay
	return descend(r, s, a)
}
