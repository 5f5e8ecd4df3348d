package execmem

import (
	"unsafe"

	"golang.org/x/sys/windows"
)

type system struct{}

func (system) Map(n int) ([]byte, error) {
	p, err := windows.VirtualAlloc(0, uintptr(n), windows.MEM_COMMIT|windows.MEM_RESERVE, windows.PAGE_READWRITE)
	if err != nil {
		return nil, err
	}
	// The address comes from the system, not from Go's heap; this way of writing it says so to vet.
	return unsafe.Slice(*(**byte)(unsafe.Pointer(&p)), n), nil
}

func (system) Protect(b []byte) error {
	var old uint32
	return windows.VirtualProtect(uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), windows.PAGE_EXECUTE_READ, &old)
}

func (system) Unmap(b []byte) error {
	return windows.VirtualFree(uintptr(unsafe.Pointer(unsafe.SliceData(b))), 0, windows.MEM_RELEASE)
}
