//go:build linux || darwin

package execmem

import "golang.org/x/sys/unix"

type system struct{}

// round makes whole pages of n bytes.
func round(n int) int {
	p := unix.Getpagesize()
	return (n + p - 1) / p * p
}

func (system) Map(n int) ([]byte, error) {
	return unix.Mmap(-1, 0, round(n), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
}

func (system) Protect(b []byte) error { return unix.Mprotect(b, unix.PROT_READ|unix.PROT_EXEC) }

func (system) Unmap(b []byte) error { return unix.Munmap(b) }
