package train

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/udl-lang/udl/runtime/sens"
	"github.com/udl-lang/udl/runtime/solve"
)

// gradients is how a fit computes them, and what there is to tell of it. It serves many goroutines.
type gradients struct {
	method *sens.Method // nil: the choice is that of sens

	mu       sync.Mutex
	adjoint  string // which method it was, and why
	departed string
	worst    float64 // by how many tolerances
}

// gradientsBy is that of Spec.Gradient; nil for forward sensitivities and the discrete adjoint, which have their own way.
func gradientsBy(name string) (*gradients, error) {
	switch name {
	case "discrete", "forward":
		return nil, nil
	case "", "auto":
		return &gradients{}, nil
	}
	m, ok := sens.Lookup(name)
	if !ok || name == "differences" {
		var names []string
		for _, m := range sens.Methods() {
			if m.Name != "differences" {
				names = append(names, m.Name)
			}
		}
		return nil, fmt.Errorf("training cannot use the gradient method %q; take %s", name, strings.Join(names, ", "))
	}
	return &gradients{method: &m}, nil
}

// gradient computes one, in the memory of a workspace.
func (b *gradients) gradient(ctx context.Context, ws *sens.Workspace, p *solve.Problem, loss sens.Loss, g []float64) (f float64, sol *solve.Solution, err error) {
	if b.method == nil {
		f, sol, err = ws.Auto(ctx, p, loss, g)
	} else {
		f, sol, err = b.method.Gradient(ctx, p, loss, g)
	}
	if sol == nil {
		return f, sol, err
	}
	st := &sol.Stats
	b.mu.Lock()
	defer b.mu.Unlock()
	if st.Adjoint != "" && (b.adjoint == "" || st.Adjoint < b.adjoint) { // the same whichever goroutine comes first
		b.adjoint = st.Adjoint
	}
	if st.Departed != "" && (st.DepartedBy > b.worst || st.DepartedBy == b.worst && st.Departed > b.departed) {
		b.departed, b.worst = st.Departed, st.DepartedBy
	}
	return f, sol, err
}

// told is what a report says of the gradients: which method it was, and why; and how far backsolve departed at worst.
func (b *gradients) told(asked string) (adjoint, departed string) {
	if b == nil {
		return asked, ""
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if adjoint = b.adjoint; adjoint == "" {
		adjoint = asked
	}
	return adjoint, b.departed
}
