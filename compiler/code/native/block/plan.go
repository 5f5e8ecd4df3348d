package block

// Plan is an order in which to compute a block: what is the same in every group once before, then each group.
// Values that nobody wants are left out. Constants and loads are in no list: they are wherever they are used.
type Plan struct {
	Pre  []Value
	Body []Value
	// Cold are the lists of the cold regions, by the OpCold instruction that stands in Body.
	Cold map[Value][]Value
	// Invariant marks the values that are the same in all groups, constants and broadcast loads among them.
	Invariant []bool
}

// Region is the number of the cold region that a value belongs to, 0 for none.
func (b *Block) Region(v Value) int { return int(b.Instrs[v].region) }

// planner walks from the stores down, so that a value is computed shortly before it is wanted; that is what keeps few of them alive
// at a time.
type planner struct {
	b     *Block
	p     *Plan
	done  []bool
	hoist bool
}

// NewPlan orders a block. With hoist, what does not depend on the group goes to Pre, which pays when there are several groups.
func NewPlan(b *Block, hoist bool) *Plan {
	p := &planner{b: b, p: &Plan{Cold: map[Value][]Value{}, Invariant: make([]bool, len(b.Instrs))}, done: make([]bool, len(b.Instrs)), hoist: hoist}
	if hoist {
		p.invariants()
	}
	for i := range b.Instrs {
		if b.Instrs[i].Op == OpStore {
			p.visit(b.Instrs[i].A)
			p.p.Body = append(p.p.Body, Value(i))
		}
	}
	return p.p
}

func (p *planner) invariants() {
	for i := range p.b.Instrs {
		in := &p.b.Instrs[i]
		ok := false
		switch in.Op {
		case OpConst:
			ok = true
		case OpLoad:
			ok = in.Broadcast
		case OpStore, OpCold:
		default:
			ok = in.region == 0
			for _, a := range in.Args() {
				ok = ok && p.p.Invariant[a]
			}
		}
		p.p.Invariant[i] = ok
	}
}

func (p *planner) visit(v Value) {
	if p.done[v] {
		return
	}
	p.done[v] = true
	in := &p.b.Instrs[v]
	switch in.Op {
	case OpConst, OpLoad:
		return
	case OpCold:
		p.visit(in.A)
		p.visit(in.C)
		var list []Value
		p.cold(in.B, &list)
		p.p.Cold[v] = list
	default:
		for _, a := range in.Args() {
			p.visit(a)
		}
	}
	if p.p.Invariant[v] {
		p.p.Pre = append(p.p.Pre, v)
		return
	}
	p.p.Body = append(p.p.Body, v)
}

// cold lists what belongs to a region, and has what does not computed before it.
func (p *planner) cold(v Value, list *[]Value) {
	in := &p.b.Instrs[v]
	if in.region == 0 {
		p.visit(v)
		return
	}
	if p.done[v] {
		return
	}
	p.done[v] = true
	for _, a := range in.Args() {
		p.cold(a, list)
	}
	*list = append(*list, v)
}
