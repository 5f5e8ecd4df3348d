package system

import (
	"strconv"
	"strings"
)

// Names lists a name per scalar of the slots: "x", "u[1]", "A[1,2]".
func Names(slots []Slot) []string {
	var out []string
	for _, s := range slots {
		n := s.Size()
		if s.Shape == nil {
			out = append(out, s.Name)
			continue
		}
		for k := range n {
			out = append(out, s.Name+"["+indexOf(s.Shape, k)+"]")
		}
	}
	return out
}

func indexOf(shape []int, flat int) string {
	idx := make([]string, len(shape))
	for d := len(shape) - 1; d >= 0; d-- {
		idx[d] = strconv.Itoa(flat%shape[d] + 1)
		flat /= shape[d]
	}
	return strings.Join(idx, ",")
}
