package repl

import (
	"bufio"
	"errors"
	"io"
	"strings"
)

// scanner reads lines of any length without a terminal.
type scanner struct{ r *bufio.Reader }

var _ LineReader = (*scanner)(nil)

// NewScanner reads lines from a pipe or a file; prompts are not shown.
func NewScanner(r io.Reader) LineReader { return &scanner{bufio.NewReader(r)} }

func (s *scanner) ReadLine(string) (string, error) {
	line, err := s.r.ReadString('\n')
	if errors.Is(err, io.EOF) && line != "" {
		err = nil // a last line without its end
	}
	return strings.TrimSuffix(line, "\n"), err
}

func (s *scanner) Close() error { return nil }
