package diag

import (
	"errors"
	"fmt"
	"testing"
)

func TestPosition(t *testing.T) {
	s := NewSource("s", "ab\nαβ\r\n\nx")
	for off, want := range map[int][2]int{0: {1, 1}, 2: {1, 3}, 3: {2, 1}, 5: {2, 2}, 9: {3, 1}, 10: {4, 1}, 11: {4, 2}, 99: {4, 2}, -1: {1, 1}} {
		if l, c := s.Position(off); l != want[0] || c != want[1] {
			t.Errorf("%d: %d:%d, want %v", off, l, c, want)
		}
	}
	for n, want := range map[int]string{1: "ab", 2: "αβ", 3: "", 4: "x", 5: "", 0: ""} {
		if got := s.Line(n); got != want {
			t.Errorf("line %d: %q", n, got)
		}
	}
}

func TestListIsAnError(t *testing.T) {
	s := NewSource("s", "a b c")
	warn := New("E0301", Span{s, 4, 5}, "w").AsWarning()
	bad := New("E0201", Span{s, 2, 3}, "unknown name `%s`", "b")
	l := List{warn, bad}
	l.Sort()
	if l[0] != bad {
		t.Error("not sorted")
	}
	if (List{warn}).Err() != nil || (List)(nil).Err() != nil {
		t.Error("a warning is no error")
	}
	if got := From(fmt.Errorf("run: %w", l.Err())); len(got) != 2 {
		t.Errorf("list: %v", got)
	}
	if got := From(fmt.Errorf("run: %w", bad)); len(got) != 1 || got[0] != bad {
		t.Errorf("one: %v", got)
	}
	if From(errors.New("x")) != nil {
		t.Error("no diagnostics in x")
	}
	if got, want := bad.Error(), "s:1:3: error[E0201]: unknown name `b`"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
