package verb

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/udl-lang/udl/compiler"
	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/runtime/checkpoint"
	"github.com/udl-lang/udl/runtime/system"
	"github.com/udl-lang/udl/runtime/train"
	"github.com/udl-lang/udl/stdlib/value"
)

// The options of long fits.
var (
	optCheckpoint = arg("checkpoint", "text", "none", "a folder that takes the state of the training while it runs; the same fit goes on from there, to the same bits as if it had never stopped")
	optEvery      = arg("every", "whole number or text", "10s", "how often the state is written: iterations, or a time such as \"30s\" or \"5m\"")
	optResume     = arg("resume", "truth value", "true", "whether to go on from the checkpoint, if there is one; false begins anew")
)

// keep has a fit write checkpoints, where that is asked for; nil where it is not.
func (c *Call) keep(m *value.Model, spec *train.Spec) (*checkpoint.Keeper, error) {
	if !c.Has("checkpoint") {
		for _, name := range []string{"every", "resume"} {
			if c.Has(name) {
				return nil, c.Bad(name, "`%s` belongs to a checkpoint, and there is none", name).WithHelp("write `checkpoint = \"run.ckpt\"` too")
			}
		}
		return nil, nil
	}
	name, err := c.TextOf("checkpoint", "")
	if err != nil {
		return nil, err
	}
	if name == "" {
		return nil, c.Bad("checkpoint", "`checkpoint` is the name of a folder, this is empty").WithHelp("write `checkpoint = \"run.ckpt\"`")
	}
	if c.FS != nil {
		return nil, c.Bad("checkpoint", "nothing can be written here: the program reads from a file system of its own")
	}
	o := checkpoint.Options{Dir: c.Path(name)}
	if f, err := os.Stat(o.Dir); err == nil && !f.IsDir() {
		return nil, diag.New("E0521", c.SpanOf("checkpoint"), "`%s` is a file, and a checkpoint is a folder", name).
			WithHelp("take another name, `checkpoint = %q`", strings.TrimSuffix(name, filepath.Ext(name))+".ckpt")
	}
	if o.Every, o.Interval, err = c.every(); err != nil {
		return nil, err
	}
	switch v := c.Args["resume"].(type) {
	case nil:
	case value.Bool:
		o.Fresh = !bool(v)
	default:
		return nil, c.Bad("resume", "`resume` is true or false, this is %s", value.Describe(v))
	}
	known := map[*system.System]string{}
	o.Digest = func(sys *system.System) string {
		if _, ok := known[sys]; !ok {
			known[sys] = compiler.Digest(sys)
		}
		return known[sys]
	}
	if b, ok := spec.Loss.(*bound); ok {
		sum := sha256.Sum256([]byte(fmt.Sprint(compiler.DigestFunc(b.F), b.Series, b.times)))
		o.Parts = []train.Part{{Name: "the loss's function or times", Digest: hex.EncodeToString(sum[:12])}}
	}
	if b := m.C.System.Backend; b != nil {
		o.Backend = b()
	}
	o.Warn = func(err error) { c.Warn(c.checkpointError(name, err).AsWarning(), false) }
	k, err := checkpoint.Keep(spec, o)
	if err != nil {
		return nil, c.checkpointError(name, err)
	}
	return k, nil
}

// every reads how often.
func (c *Call) every() (iters int, interval time.Duration, err error) {
	bad := func(v value.Value) error {
		return c.Bad("every", "`every` is a number of iterations or a time, this is %s", value.Describe(v)).WithHelp("write `every = 50`, or `every = \"30s\"`")
	}
	switch v := c.Args["every"].(type) {
	case nil:
	case value.Text:
		if interval, err = time.ParseDuration(string(v)); err != nil || interval <= 0 {
			return 0, 0, bad(v)
		}
	case *value.Array:
		if iters = 0; len(v.Data) == 1 && v.Data[0] >= 1 && v.Data[0] <= 1e9 {
			iters = int(v.Data[0])
		}
		if iters == 0 || float64(iters) != v.Data[0] {
			return 0, 0, bad(v)
		}
	default:
		return 0, 0, bad(v)
	}
	return iters, interval, nil
}

// checkpointError gives an error of a checkpoint its code and help.
func (c *Call) checkpointError(name string, err error) *diag.Diagnostic {
	var other *checkpoint.MismatchError
	var damaged *checkpoint.DamagedError
	var write *checkpoint.WriteError
	at := c.SpanOf("checkpoint")
	switch {
	case errors.As(err, &other):
		other.Dir = "`" + name + "`"
		d := diag.New("E0519", at, "%v", other)
		if !other.Version && !slices.Contains(other.Differs, "the model") {
			return d.WithHelp("to train on from its values, write `set = load(%q)` and another name; `resume = false` begins anew", name)
		}
		return d.WithHelp("take another name, or begin anew by `resume = false`")
	case errors.As(err, &damaged):
		damaged.Dir = "`" + name + "`"
		return diag.New("E0520", at, "%v", damaged).WithHelp("begin anew by `resume = false`")
	case errors.As(err, &write):
		write.Dir = "`" + name + "`"
		return diag.New("E0521", at, "%v", write).WithHelp("see that the folder it lies in exists, can be written to, and has room")
	}
	return diag.New("E0519", at, "%v", err)
}
