package system_test

import (
	"slices"
	"testing"

	"github.com/udl-lang/udl/internal/testsys"
	"github.com/udl-lang/udl/runtime/system"
)

func TestNames(t *testing.T) {
	got := system.Names([]system.Slot{
		{Name: "x"},
		{Name: "u", Off: 1, Shape: []int{2}},
		{Name: "A", Off: 3, Shape: []int{2, 3}},
		{Name: "none", Off: 9, Shape: []int{0}},
		{Name: "c", Off: 9, Shape: []int{1}},
	})
	want := []string{"x", "u[1]", "u[2]", "A[1,1]", "A[1,2]", "A[1,3]", "A[2,1]", "A[2,2]", "A[2,3]", "c[1]"}
	if !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestThetaSlots(t *testing.T) {
	s := testsys.LotkaVolterra()
	if got := s.Find("gamma", system.RoleParam); got == nil || got.Off != 2 {
		t.Errorf("gamma is %v", got)
	}
	if s.Find("gamma", system.RoleWeight, system.RoleInit) != nil || s.Find("epsilon", system.RoleParam) != nil {
		t.Error("Find finds what is not there")
	}
	th := s.Defaults()
	if !slices.Equal(th, []float64{1.5, 1, 3, 1, 1, 1}) {
		t.Error(th)
	}
	th[0] = 9
	if s.Defaults()[0] != 1.5 {
		t.Error("the defaults are shared")
	}
}
