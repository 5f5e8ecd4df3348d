//go:build !linux && !darwin && !windows

package execmem

type system struct{}

func (system) Map(int) ([]byte, error) { return nil, ErrUnsupported }
func (system) Protect([]byte) error    { return ErrUnsupported }
func (system) Unmap([]byte) error      { return ErrUnsupported }
