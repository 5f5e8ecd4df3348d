package verb

import (
	"io"
	"path/filepath"
	"strings"

	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/runtime/trace"
	"github.com/udl-lang/udl/runtime/trace/safetensors"
	"github.com/udl-lang/udl/stdlib/value"
)

// saveVerb writes by the ending of the name.
func saveVerb(c *Call) (value.Value, error) {
	name, err := c.TextOf("file", "")
	if err != nil {
		return nil, err
	}
	if c.FS != nil {
		return nil, c.Bad("file", "nothing can be written here: the program reads from a file system of its own")
	}
	v := c.Args["value"]
	ext := strings.ToLower(strings.TrimPrefix(filepath.Ext(name), "."))
	if m, ok := v.(*value.Model); ok {
		if own := ownInitials(m); own != nil {
			c.Warn(diag.New("E0536", c.SpanOf("value"), "each of the %d trajectories has an initial value of its own of %s, and the file has none of them", len(m.Fit.Trajectories), join(own)).
				WithHelp("save the model of each, `save(best[1], \"first.json\")`, too").AsWarning(), false)
		}
	}
	var write func(w io.Writer) error
	switch ext {
	case "csv", "json":
		if m, ok := v.(*value.Model); ok && ext == "json" {
			write = func(w io.Writer) error { return writeModel(w, m) }
			break
		}
		switch r := v.(type) {
		case *value.Report:
			if ext != "json" {
				return nil, c.Bad("value", "a report is no table").WithHelp("write it to a .json or .txt file, or one of its tables, `save(%s.residuals, \"residuals.csv\")`", c.text("value", "best.report"))
			}
			write = func(w io.Writer) error { return writeRecord(w, r.Record()) }
		case *value.Record, value.List, *value.Array:
			if ext == "json" {
				write = func(w io.Writer) error { return writeRecord(w, v) }
			}
		}
		if write != nil {
			break
		}
		f, err := frameOf(v)
		if err != nil {
			return nil, c.Bad("value", "%v", err).WithHelp("a model's values go to .json")
		}
		if ext == "csv" {
			write = func(w io.Writer) error { return trace.WriteCSV(w, f) }
		} else {
			write = func(w io.Writer) error { return trace.WriteJSON(w, f) }
		}
	case "txt":
		switch v := v.(type) {
		case *value.Report:
			write = func(w io.Writer) error { WriteReport(w, v.Fit); return nil }
		case value.Text, *value.Discovered:
			write = func(w io.Writer) error { _, err := io.WriteString(w, Inline(v)+"\n"); return err }
		default:
			return nil, c.Bad("value", "a .txt file holds a report, equations or a text, this is %s", value.Describe(v)).WithHelp("numbers go to .csv or .json")
		}
	case "udl":
		m, ok := v.(*value.Model)
		if !ok {
			return nil, c.Bad("value", "a .udl file holds a model, this is %s", value.Describe(v))
		}
		if nets := networks(m); nets != nil && m.Trained() {
			c.Warn(diag.New("E0537", c.SpanOf("value"), "the weights of %s are not in this text: the model in `%s` begins untrained", join(nets), name).
				WithHelp("save them too, `save(%s, \"%s.safetensors\")`, and give them back by `set = load(\"%s.safetensors\")`", c.text("value", "best"), strings.TrimSuffix(name, filepath.Ext(name)), strings.TrimSuffix(name, filepath.Ext(name))).AsWarning(), false)
		}
		write = func(w io.Writer) error { return c.writeSource(w, m) }
	case "safetensors":
		switch v := v.(type) {
		case *value.Model:
			write = func(w io.Writer) error { return writeTensors(w, v) }
		case *value.Record:
			f, err := recordTensors(v)
			if err != nil {
				return nil, c.Bad("value", "%v", err)
			}
			write = func(w io.Writer) error { return safetensors.Write(w, f) }
		default:
			return nil, c.Bad("value", "a .safetensors file holds the values of a model or a record of arrays, this is %s", value.Describe(v)).WithHelp("save the model, `save(best, \"best.safetensors\")`")
		}
	case "svg", "png", "pdf":
		p, ok := v.(*value.Plot)
		if !ok {
			p = &value.Plot{}
			if err := addSeries(p, v); err != nil {
				return nil, c.Bad("value", "%v", err)
			}
		}
		if c.Figure == nil {
			return nil, c.Bad("file", "this program was built without figures")
		}
		write = func(w io.Writer) error { return c.Figure(w, ext, p) }
	default:
		return nil, c.Bad("file", "cannot tell from `%s` what to write", name).
			WithHelp("end the name in .csv or .json for numbers, .json or .txt for a report, .safetensors for weights, .udl for the text of a model, .svg, .png or .pdf for a figure")
	}
	if err := trace.WriteFile(c.Path(name), write); err != nil {
		return nil, c.Bad("file", "cannot write `%s`: %v", name, err)
	}
	return nil, nil
}
