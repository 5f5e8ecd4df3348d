package execmem

import (
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"unsafe"
)

// ErrUnsupported tells that this operating system has no way of its own to executable memory here.
var ErrUnsupported = errors.New("no executable memory on this platform")

// Allocator is the operating system, or what a test puts in its place.
type Allocator interface {
	// Map gives n bytes, zeroed, that can be read and written.
	Map(n int) ([]byte, error)
	// Protect makes what Map gave readable and executable, and no longer writable.
	Protect(b []byte) error
	// Unmap gives it back.
	Unmap(b []byte) error
}

// System is the operating system's allocator.
var System Allocator = system{}

// mapping is the part of a Memory that outlives it: what the cleanup needs.
type mapping struct {
	from Allocator
	b    []byte
	done atomic.Bool
}

func (m *mapping) free() error {
	if m.done.Swap(true) {
		return nil
	}
	live.Add(-1)
	return m.from.Unmap(m.b)
}

// live counts mappings; tests read it.
var live atomic.Int64

// Live is the number of pieces of code that are held at the moment.
func Live() int { return int(live.Load()) }

// Memory is a piece of executable code. It is immutable; the code must not run any more once it has been freed.
type Memory struct {
	entry uintptr
	m     *mapping
}

// New copies code into executable memory of its own. The memory is given back by Free, or when nothing refers to the
// result any more: whoever calls the code must keep the Memory alive until the call has returned.
func New(from Allocator, code []byte) (*Memory, error) {
	if len(code) == 0 {
		return nil, errors.New("execmem: no code")
	}
	m, err := load(from, code)
	if err != nil && !errors.Is(err, ErrUnsupported) {
		// Code that nothing refers to any more may hold the address space or the kernel's limit on mappings; the
		// collector does not see that cost, so it is asked once.
		runtime.GC()
		m, err = load(from, code)
	}
	if err != nil {
		return nil, err
	}
	live.Add(1)
	out := &Memory{entry: uintptr(unsafe.Pointer(unsafe.SliceData(m.b))), m: m}
	runtime.AddCleanup(out, func(m *mapping) { _ = m.free() }, m)
	return out, nil
}

func load(from Allocator, code []byte) (*mapping, error) {
	b, err := from.Map(len(code))
	if err != nil {
		return nil, fmt.Errorf("memory for generated code: %w", err)
	}
	copy(b, code)
	if err := from.Protect(b); err != nil {
		_ = from.Unmap(b)
		return nil, fmt.Errorf("making generated code executable: %w", err)
	}
	return &mapping{from: from, b: b}, nil
}

// Entry is the address of the first instruction.
func (m *Memory) Entry() uintptr { return m.entry }

// Bytes is the code, to read.
func (m *Memory) Bytes() []byte { return m.m.b }

// Free gives the memory back. Freeing twice does nothing.
func (m *Memory) Free() error { return m.m.free() }
