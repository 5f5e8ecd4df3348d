//go:build linux || darwin

package kernels

import (
	"fmt"
	"os"
	"syscall"
	"testing"
	"unsafe"
)

// edge is memory that ends, or begins, where the next page must not be touched.
func edge(t *testing.T) (page []float64) {
	t.Helper()
	size := os.Getpagesize()
	mem, err := syscall.Mmap(-1, 0, 3*size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { _ = syscall.Munmap(mem) })
	for _, p := range [][]byte{mem[:size], mem[2*size:]} {
		if err := syscall.Mprotect(p, syscall.PROT_NONE); err != nil {
			t.Skip(err)
		}
	}
	return unsafe.Slice((*float64)(unsafe.Pointer(&mem[size])), size/8)
}

// TestPages runs everything on slices at the ends of a page whose neighbours cannot be read; an access beyond a slice would be a fault.
func TestPages(t *testing.T) {
	pages := make([][]float64, 4)
	for i := range pages {
		pages[i] = edge(t)
	}
	for _, s := range Available()[1:] {
		for _, last := range []bool{false, true} {
			cut := func(page, n int) []float64 {
				if last {
					return pages[page][len(pages[page])-n:]
				}
				return pages[page][:n]
			}
			for n := 1; n < 24; n++ {
				t.Run(fmt.Sprintf("%s/%v/%d", s, last, n), func(t *testing.T) {
					for f := range numFunctions {
						s.unary(f, cut(0, n), cut(1, n))
					}
					s.Pow(cut(0, n), cut(1, n), cut(2, n))
					for m := 1; m < 20; m++ {
						s.MatVec(cut(0, m), cut(1, m*n), cut(2, n), cut(3, m))
						s.MatTVec(cut(0, n), cut(1, m*n), cut(2, m))
						s.OuterAdd(cut(0, m*n), cut(1, m), cut(2, n))
					}
				})
			}
		}
	}
}
