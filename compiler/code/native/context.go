package native

import (
	"unsafe"

	"github.com/udl-lang/udl/compiler/code/native/block"
)

// context is all that generated code is told, through one pointer. Its pointers are Go pointers with Go's types, so that the collector keeps what they point to.
type context struct {
	base   [block.MaxBases]unsafe.Pointer
	pool   unsafe.Pointer
	spill  unsafe.Pointer
	groups int64
	first  int64 // the group to begin with
}

// The places of the context's fields, as displacements.
const (
	poolOffset   = int32(unsafe.Offsetof(context{}.pool))
	spillOffset  = int32(unsafe.Offsetof(context{}.spill))
	groupsOffset = int32(unsafe.Offsetof(context{}.groups))
	firstOffset  = int32(unsafe.Offsetof(context{}.first))
)

func baseOffset(i int) int32 { return int32(i) * int32(unsafe.Sizeof(uintptr(0))) }
