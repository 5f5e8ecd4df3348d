package verb

import (
	"encoding/json"
	"fmt"
	"io"
	"math"

	"github.com/udl-lang/udl/lang/types"
	"github.com/udl-lang/udl/runtime/system"
	"github.com/udl-lang/udl/stdlib/value"
)

// kept is a model's values in a file: {"model": "M", "values": {"alpha": {"shape": [], "data": [2]}}}. Numbers read back
// to the same bits. Initial values are kept where they were fitted or set.
type kept struct {
	Model  string            `json:"model"`
	Values map[string]keptAt `json:"values"`
}

type keptAt struct {
	Shape types.Shape `json:"shape"`
	Data  []float64   `json:"data"`
}

// writeModel writes the values of a model.
func writeModel(w io.Writer, m *value.Model) error {
	k := kept{Model: m.Name(), Values: map[string]keptAt{}}
	sys := m.C.System
	for _, t := range sys.Theta {
		if t.Role == system.RoleFlag || t.Role == system.RoleInit && m.Theta[sys.Find(t.Name, system.RoleFlag).Off] == 0 {
			continue
		}
		v := m.Theta[t.Off : t.Off+t.Size()]
		for _, x := range v {
			if math.IsNaN(x) || math.IsInf(x, 0) {
				return fmt.Errorf("%s holds %v, which JSON cannot say", t.Name, x)
			}
		}
		shape := types.Shape(t.Shape)
		if shape == nil {
			shape = types.Shape{}
		}
		k.Values[t.Name] = keptAt{shape, v}
	}
	e := json.NewEncoder(w)
	e.SetIndent("", " ")
	return e.Encode(k)
}

// loadVerb reads what writeModel wrote, as a record for `set`.
func loadVerb(c *Call) (value.Value, error) {
	name, err := c.TextOf("file", "")
	if err != nil {
		return nil, err
	}
	f, err := c.open(name)
	if err != nil {
		return nil, c.cannotRead(name, err)
	}
	defer f.Close()
	var k kept
	if err := json.NewDecoder(f).Decode(&k); err != nil || k.Values == nil {
		return nil, c.Bad("file", "`%s` holds no values of a model", name).WithHelp("write one by `save(model, \"%s\")`", name)
	}
	r := &value.Record{}
	for _, n := range sortedNames(k.Values) {
		v := k.Values[n]
		shape := v.Shape
		if len(shape) == 0 {
			shape = nil
		}
		for _, d := range shape {
			if d < 0 {
				return nil, c.Bad("file", "`%s` is damaged: %s has a negative extent", name, n)
			}
		}
		if shape.Size() != len(v.Data) {
			return nil, c.Bad("file", "`%s` is damaged: %s has %d values for %s", name, n, len(v.Data), shape)
		}
		r.Put(n, &value.Array{Shape: shape, Data: v.Data})
	}
	return r, nil
}
