package checkpoint

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"time"

	"github.com/udl-lang/udl/runtime/system"
	"github.com/udl-lang/udl/runtime/trace"
	"github.com/udl-lang/udl/runtime/trace/safetensors"
	"github.com/udl-lang/udl/runtime/train"
)

// Options of Keep. Dir is needed.
type Options struct {
	Dir string // the folder; it is made, its parent must exist
	// Every is how many iterations lie between two writes; 0: Interval decides.
	Every int
	// Interval is the time between two writes; 0 with Every 0: ten seconds.
	Interval time.Duration
	// Fresh begins anew, whatever is there.
	Fresh bool
	// Digest digests a system, so that another model is noticed; nil: it is known by its name alone.
	Digest func(*system.System) string
	// Parts are further ones by which the fit is told from others, such as that of a loss of its own.
	Parts []train.Part
	// Backend is what computes: another one may differ in the last digits, of which Warn is told.
	Backend string
	// Warn is told what is not right but no reason to stop a training, such as a full disk.
	Warn func(error)
}

// defaultInterval is the time between two writes where nothing is said.
const defaultInterval = 10 * time.Second

// MismatchError is a checkpoint of another fit.
type MismatchError struct {
	Dir     string
	Differs []string // parts, in words
	Version bool     // another version of the program wrote it
}

// Error says what differs.
func (e *MismatchError) Error() string {
	if e.Version {
		return fmt.Sprintf("the checkpoint %s was written by another version of udl, which keeps other things", e.Dir)
	}
	s := fmt.Sprintf("the checkpoint %s belongs to another fit, which differs in ", e.Dir)
	for i, d := range e.Differs {
		switch {
		case i > 0 && i == len(e.Differs)-1:
			s += " and "
		case i > 0:
			s += ", "
		}
		s += d
	}
	return s
}

// DamagedError is a checkpoint that cannot be read.
type DamagedError struct {
	Dir string
	Err error
}

// Error says why.
func (e *DamagedError) Error() string {
	return fmt.Sprintf("the checkpoint %s cannot be read: %v", e.Dir, e.Err)
}

// Unwrap is the reason.
func (e *DamagedError) Unwrap() error { return e.Err }

// WriteError is a checkpoint that cannot be written.
type WriteError struct {
	Dir string
	Err error
}

// Error says why.
func (e *WriteError) Error() string {
	return fmt.Sprintf("the checkpoint %s cannot be written: %v", e.Dir, e.Err)
}

// Unwrap is the reason.
func (e *WriteError) Unwrap() error { return e.Err }

// text is the JSON of a checkpoint: for people first, then what goes on from it.
type text struct {
	Model     string `json:"model"`
	Phase     int    `json:"phase"` // from 1
	Stage     int    `json:"stage"`
	Optimiser string `json:"optimiser"`
	Iteration int    `json:"iteration"` // over all phases and stages
	Loss      string `json:"loss"`      // the lowest of the phase
	Backend   string `json:"backend"`
	Layout    string `json:"layout"`

	Fit      []train.Part `json:"fit"`
	Snapshot *flat        `json:"snapshot"`
}

// Keeper writes the checkpoints of one fit.
type Keeper struct {
	o      Options
	spec   *train.Spec
	folder trace.Folder
	fit    []train.Part
	resume *train.Snapshot

	last    time.Time // of a write
	since   int       // iterations since then
	pending bool      // kept is newer than what is on disk
	kept    train.Snapshot
	mem     []float64 // of kept
	values  []float64
	warned  bool
}

// Keep has spec write checkpoints, and go on from the one that is there, if it is of the same fit. Close must be called after the fit, however it ended.
// The error is *MismatchError, *DamagedError or *WriteError.
func Keep(spec *train.Spec, o Options) (*Keeper, error) {
	k := &Keeper{o: o, spec: spec, folder: trace.Folder{Path: o.Dir, Suffix: ".safetensors"}}
	if k.o.Every == 0 && k.o.Interval == 0 {
		k.o.Interval = defaultInterval
	}
	k.fit = append(spec.Identity(o.Digest), o.Parts...)
	if !o.Fresh {
		if err := k.read(); err != nil {
			return nil, err
		}
	}
	if err := k.folder.Ready(); err != nil {
		return nil, &WriteError{o.Dir, err}
	}
	spec.Resume = k.resume
	before := spec.Snapshot
	spec.Snapshot = func(s *train.Snapshot) {
		if before != nil {
			before(s)
		}
		k.snapshot(s)
	}
	k.last = time.Now()
	return k, nil
}

// Resumed is the state that the fit goes on from, nil where it begins.
func (k *Keeper) Resumed() *train.Snapshot { return k.resume }

// read looks at what is there.
func (k *Keeper) read() error {
	raw, numbers, err := k.folder.Read()
	if err != nil {
		return &DamagedError{k.o.Dir, err}
	}
	if raw == nil {
		return nil
	}
	var t text
	if err := json.Unmarshal(raw, &t); err != nil {
		return &DamagedError{k.o.Dir, err}
	}
	if t.Layout != layout() {
		return &MismatchError{Dir: k.o.Dir, Version: true}
	}
	if d := train.Differing(t.Fit, k.fit); len(d) > 0 {
		return &MismatchError{Dir: k.o.Dir, Differs: d}
	}
	file, err := safetensors.Read(numbers)
	if err != nil {
		return &DamagedError{k.o.Dir, err}
	}
	if t.Snapshot == nil {
		return &DamagedError{k.o.Dir, errors.New("it holds no state")}
	}
	t.Snapshot.read = file
	k.resume = &train.Snapshot{}
	if err := t.Snapshot.get("", reflect.ValueOf(k.resume).Elem()); err != nil {
		return &DamagedError{k.o.Dir, err}
	}
	if t.Backend != k.o.Backend && k.o.Warn != nil {
		k.o.Warn(fmt.Errorf("the checkpoint %s was written where the model ran on %q, here it runs on %q: the last digits may differ from those of an undisturbed run", k.o.Dir, t.Backend, k.o.Backend))
	}
	return nil
}

// snapshot is called after each iteration.
func (k *Keeper) snapshot(s *train.Snapshot) {
	k.since++
	due := k.o.Every > 0 && k.since >= k.o.Every || k.o.Interval > 0 && time.Since(k.last) >= k.o.Interval
	if !due {
		k.keep(s)
		return
	}
	if err := k.write(s); err != nil {
		k.keep(s)
		if k.o.Warn != nil && !k.warned {
			k.warned = true
			k.o.Warn(&WriteError{k.o.Dir, err})
		}
	}
}

// keep copies a state that is not written yet, since it may be the last: an iteration that is broken off may already have changed what it began from. An optimiser
// has worked through all of it to get there, so that the copy takes little beside. Histories only grow, so they need not be copied.
func (k *Keeper) keep(s *train.Snapshot) {
	k.pending = true
	k.mem = k.mem[:0]
	k.kept = *s
	take := func(v []float64) []float64 {
		if v == nil {
			return nil
		}
		at := len(k.mem)
		k.mem = append(k.mem, v...) // where it moves, what was taken before stays where it was
		return k.mem[at:len(k.mem):len(k.mem)]
	}
	v := reflect.ValueOf(&k.kept).Elem()
	for i := range v.NumField() {
		switch x := v.Field(i).Addr().Interface().(type) {
		case *[]float64:
			*x = take(*x)
		case *[]train.Array:
			own := make([]train.Array, len(*x))
			for j, a := range *x {
				own[j] = train.Array{Name: a.Name, Values: take(a.Values)}
			}
			*x = own
		}
	}
	if s.Values != nil {
		k.values = append(k.values[:0], s.Values()...)
		k.kept.Values = func() []float64 { return k.values }
	}
}

// write writes a state.
func (k *Keeper) write(s *train.Snapshot) error {
	f := newFlat()
	if err := f.put("", reflect.ValueOf(s).Elem()); err != nil {
		return err
	}
	sys := k.spec.Sys
	iters := s.Iters
	for _, d := range s.Done {
		iters += d.Iters
	}
	t := text{Model: sys.Name, Phase: s.Phase + 1, Stage: s.Stage + 1, Optimiser: s.Optimiser, Iteration: iters, Loss: exactly(s.BestLoss),
		Backend: k.o.Backend, Layout: layout(), Fit: k.fit, Snapshot: f}
	file := &safetensors.File{Meta: map[string]string{"model": sys.Name, "iteration": fmt.Sprint(iters), "loss": t.Loss}}
	if s.Values != nil {
		file.Tensors = Values(sys, s.Values())
	}
	file.Tensors = append(file.Tensors, f.tensors...)
	if err := k.folder.Write(&t, func(w io.Writer) error { return safetensors.Write(w, file) }); err != nil {
		return err
	}
	k.last, k.since, k.pending, k.warned = time.Now(), 0, false, false
	return nil
}

// Close writes the last state, if it is not on disk yet, so that a fit that was stopped can go on. The error is *WriteError.
func (k *Keeper) Close() error {
	if !k.pending {
		return nil
	}
	if err := k.write(&k.kept); err != nil {
		return &WriteError{k.o.Dir, err}
	}
	return nil
}

// Values are the parameters, constants, weights and scales of θ, and the initial values in force, by their names.
func Values(sys *system.System, th []float64) []safetensors.Tensor {
	var out []safetensors.Tensor
	for _, t := range sys.Theta {
		if t.Role == system.RoleFlag {
			continue
		}
		if t.Role == system.RoleInit {
			if flag := sys.Find(t.Name, system.RoleFlag); flag == nil || th[flag.Off] == 0 {
				continue
			}
		}
		out = append(out, safetensors.Tensor{Name: t.Name, Shape: t.Shape, Data: th[t.Off : t.Off+t.Size()]})
	}
	return out
}
