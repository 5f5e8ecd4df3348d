package main

import (
	"fmt"
	"strings"
)

// inside is the side of udl in this process. In a process of its own, under an environment that turns generated
// code or kernels off, it is served by serve.
type inside struct {
	root   string // of the module
	models map[string]*model
	jobs   map[string]job
}

func newInside(root string) *inside {
	return &inside{root: root, models: map[string]*model{}, jobs: map[string]job{}}
}

func (s *inside) model(name string) (*model, error) {
	if m := s.models[name]; m != nil {
		return m, nil
	}
	sub, err := findSubject(name)
	if err != nil {
		return nil, err
	}
	m, err := sub.load()
	if err == nil {
		s.models[name] = m
	}
	return m, err
}

func (s *inside) set(name string, u, p []float64) error {
	m, err := s.model(name)
	if err != nil {
		return err
	}
	if len(u) != len(m.u) || len(p) == 0 || len(p)%len(m.at) != 0 {
		return fmt.Errorf("%s takes %d and %d numbers, not %d and %d", name, len(m.u), len(m.at), len(u), len(p))
	}
	m.u, m.p = u, p
	for job := range s.jobs {
		if strings.HasSuffix(job, "/"+name) {
			delete(s.jobs, job)
		}
	}
	return nil
}

func (s *inside) job(name string) (job, error) {
	if j := s.jobs[name]; j != nil {
		return j, nil
	}
	j, err := s.newJob(name)
	if err == nil {
		s.jobs[name] = j
	}
	return j, err
}

func (s *inside) newJob(name string) (job, error) {
	if file, ok := strings.CutPrefix(name, "train/"); ok {
		return trainJob(s.root, file+".udl")
	}
	kind, subject, _ := strings.Cut(name, "/")
	start, ok := kinds[kind]
	if !ok {
		return nil, fmt.Errorf("there is no job %q", name)
	}
	m, err := s.model(subject)
	if err != nil {
		return nil, err
	}
	return start(m)
}

func (s *inside) run(name string, reps int) (outcome, error) {
	j, err := s.job(name)
	if err != nil {
		return outcome{}, err
	}
	return j(reps)
}
