package execmem

import (
	"bytes"
	"errors"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

var errNo = errors.New("no")

// stub is an allocator that can refuse either step and counts.
type stub struct {
	noMap, noProtect       bool
	maps, protects, unmaps int
}

func (s *stub) Map(n int) ([]byte, error) {
	s.maps++
	if s.noMap {
		return nil, errNo
	}
	return make([]byte, n), nil
}

func (s *stub) Protect([]byte) error {
	s.protects++
	if s.noProtect {
		return errNo
	}
	return nil
}

func (s *stub) Unmap([]byte) error { s.unmaps++; return nil }

func TestRefused(t *testing.T) {
	before := Live()
	s := &stub{noMap: true}
	if _, err := New(s, []byte{1}); !errors.Is(err, errNo) || s.maps != 2 {
		t.Errorf("%v after %d attempts", err, s.maps)
	}
	s = &stub{noProtect: true}
	if _, err := New(s, []byte{1}); !errors.Is(err, errNo) || s.unmaps != s.maps {
		t.Errorf("%v, %d mapped, %d given back", err, s.maps, s.unmaps)
	}
	if _, err := New(s, nil); err == nil {
		t.Error("no code, no error")
	}
	if Live() != before {
		t.Errorf("%d pieces held", Live()-before)
	}
}

func TestFree(t *testing.T) {
	s := &stub{}
	m, err := New(s, []byte{1, 2, 3})
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(m.Bytes(), []byte{1, 2, 3}) || m.Entry() == 0 {
		t.Error("not the code")
	}
	for range 2 {
		if err := m.Free(); err != nil {
			t.Fatal(err)
		}
	}
	if s.unmaps != 1 {
		t.Errorf("given back %d times", s.unmaps)
	}
}

func TestSystem(t *testing.T) {
	code := bytes.Repeat([]byte{0xC3}, 5000)
	m, err := New(System, code)
	if errors.Is(err, ErrUnsupported) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(m.Bytes()[:5000], code) {
		t.Error("not the code")
	}
	if maps, err := os.ReadFile("/proc/self/maps"); err == nil && strings.Contains(string(maps), " rwxp ") {
		t.Error("a page is both writable and executable")
	}
	if err := m.Free(); err != nil {
		t.Error(err)
	}
}

// TestDropped holds that forgotten code goes back to the system.
func TestDropped(t *testing.T) {
	before := Live()
	for range 200 {
		if _, err := New(System, []byte{0xC3}); err != nil {
			t.Skip(err)
		}
	}
	for range 100 {
		runtime.GC()
		if Live() <= before {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Errorf("%d pieces are still held", Live()-before)
}
