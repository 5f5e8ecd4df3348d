package solve_test
import ("testing";"fmt";"context"
"github.com/udl-lang/udl/runtime/solve"
"github.com/udl-lang/udl/runtime/method"
"github.com/udl-lang/udl/runtime/signal"
)
func TestDbg(t *testing.T){
	ts, v, _ := square(20)
	sys := drivenBy(t, signal.Hold, ts, v)
	m,_:=method.Find("BDF")
	st,_:=solve.NewStepper(context.Background(), &solve.Problem{Sys: sys, Method: m, X0: []float64{0}, T1: 3, Rtol: 1e-8, Atol: 1e-10, MaxSteps: 1e6})
	rej:=0
	for st.Step(){ tt,h:=st.Last(); r:=st.Stats().Rejected; fmt.Println(tt,h,r-rej); rej=r }
}
