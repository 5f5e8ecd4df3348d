package repl

import (
	"context"
	"fmt"
	"strings"

	"github.com/udl-lang/udl/lang/diag"
)

// command is one word of the prompt that is not of the language.
type command struct {
	name, args, doc string
	run             func(s *Session, ctx context.Context, args string)
}

// commands is the table from which `:help`, completion and the prompt itself are fed.
func commands() []command {
	return []command{
		{":load", "FILE", "run a file in this session", (*Session).load},
		{":model", "[NAME]", "show a model, or list them", (*Session).model},
		{":graph", "NAME [PASS]", "show a model's compiled graphs", (*Session).graph},
		{":time", "EXPR", "run an entry and say how long it took", (*Session).time},
		{":help", "", "show this", func(s *Session, _ context.Context, _ string) { s.overview() }},
		{":quit", "", "leave (so does Ctrl-D)", func(s *Session, _ context.Context, _ string) { s.done = true }},
	}
}

// command runs a line that is a command: one that begins with a colon, or help.
func (s *Session) command(ctx context.Context, line string) bool {
	word, args, _ := strings.Cut(line, " ")
	args = strings.TrimSpace(args)
	switch {
	case line == "quit" || line == "exit" || line == "quit()" || line == "exit()":
		s.done = true
		return true
	case strings.HasPrefix(line, "?") && isName(strings.TrimSpace(line[1:])):
		s.help(strings.TrimSpace(line[1:]))
		return true
	case strings.HasPrefix(line, "help(") && strings.HasSuffix(line, ")") && isName(line[5:len(line)-1]):
		s.help(line[5 : len(line)-1])
		return true
	}
	if word == "help" || word == "help()" || word == "?" {
		// `help = 3` and `help(x)` are the language's.
		if args == "" {
			s.overview()
			return true
		}
		if isTopic(args) {
			s.help(strings.Join(strings.Fields(args), " "))
			return true
		}
		return false
	}
	if !strings.HasPrefix(word, ":") {
		return false
	}
	var names []string
	for _, c := range commands() {
		if c.name == word || len(word) == 2 && strings.HasPrefix(c.name, word) {
			c.run(s, ctx, args)
			return true
		}
		names = append(names, c.name)
	}
	d := diag.New("E0730", diag.Span{}, "there is no command `%s`", word).WithHelp("`:help` lists them")
	if m := diag.Suggest(word, names); m != "" {
		d.WithHelp("did you mean `%s`?", m)
	}
	s.fail(d)
	return true
}

func isName(s string) bool {
	for i, r := range s {
		letter := r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= 0x80
		if !letter && (i == 0 || r != '.' && (r < '0' || r > '9')) {
			return false
		}
	}
	return s != ""
}

// isTopic says whether help may know a page of this name, of one word or several: `help early stopping`.
func isTopic(s string) bool {
	for _, w := range strings.Fields(s) {
		if !isName(w) {
			return false
		}
	}
	return s != ""
}

// usage says how a command is to be called.
func (s *Session) usage(name string) {
	for _, c := range commands() {
		if c.name == name {
			s.fail(diag.New("E0730", diag.Span{}, "`%s` needs %s", c.name, c.args).WithHelp("write `%s %s`: %s", c.name, c.args, c.doc))
		}
	}
}

func (s *Session) load(ctx context.Context, path string) {
	if len(path) > 1 && path[0] == '"' && path[len(path)-1] == '"' {
		path = path[1 : len(path)-1]
	}
	if path == "" {
		s.usage(":load")
		return
	}
	s.guard(ctx, func(ctx context.Context) error { return s.c.Engine.Load(ctx, path) })
}

func (s *Session) model(_ context.Context, name string) {
	if name == "" {
		ms := s.c.Engine.Models()
		if len(ms) == 0 {
			fmt.Fprintln(s.c.Out, "no models yet; declare one with `model Name { … }`, or `:load` a file")
			return
		}
		for _, m := range ms {
			fmt.Fprintln(s.c.Out, m)
		}
		return
	}
	if err := s.c.Engine.Model(s.c.Out, name); err != nil {
		s.fail(err)
	}
}

func (s *Session) graph(_ context.Context, args string) {
	f := strings.Fields(args)
	switch len(f) {
	case 1:
		f = append(f, "")
	case 2:
	default:
		s.usage(":graph")
		return
	}
	if err := s.c.Engine.Graph(s.c.Out, f[0], f[1]); err != nil {
		s.fail(err)
	}
}

func (s *Session) time(ctx context.Context, expr string) {
	if expr == "" {
		s.usage(":time")
		return
	}
	if s.c.Engine.Incomplete(expr) {
		s.fail(diag.New("E0730", diag.Span{}, "`:time` takes an entry of one line").WithHelp("put it into one line, or time a file with `:time` on an `import`"))
		return
	}
	s.timed(ctx, expr)
}

func (s *Session) help(name string) {
	if strings.HasPrefix(name, ":") {
		s.overview()
		return
	}
	text, ok := s.c.Engine.Help(name)
	if !ok {
		d := diag.New("E0731", diag.Span{}, "there is no help on `%s`", name).WithHelp("`help` alone lists what there is")
		if m := diag.Suggest(name, s.c.Engine.Names()); m != "" {
			d.WithHelp("did you mean `%s`?", m)
		}
		s.fail(d)
		return
	}
	fmt.Fprint(s.c.Out, text)
	if !strings.HasSuffix(text, "\n") {
		fmt.Fprintln(s.c.Out)
	}
}

// overview lists commands and names.
func (s *Session) overview() {
	fmt.Fprintln(s.c.Out, "Type what a .udl file may hold: models, `name = e`, calls. Commands:")
	for _, c := range commands() {
		fmt.Fprintf(s.c.Out, "  %-20s %s\n", strings.TrimSpace(c.name+" "+c.args), c.doc)
	}
	fmt.Fprintf(s.c.Out, "  %-20s %s\n", "help NAME", "explain a name, an option or a matter; Tab completes names and arguments")
	headings, names := s.c.Engine.Contents()
	for i, h := range headings {
		fmt.Fprintf(s.c.Out, "%s:\n", h)
		list := append([]string(nil), names[i]...)
		for k := range list[:max(len(list)-1, 0)] {
			list[k] += ","
		}
		fmt.Fprint(s.c.Out, wrap(list, "  ", 76))
	}
}

// wrap fills lines with words.
func wrap(words []string, indent string, width int) string {
	var b strings.Builder
	n := 0
	for _, w := range words {
		if n > 0 && n+1+len(w) > width {
			b.WriteByte('\n')
			n = 0
		}
		if n == 0 {
			b.WriteString(indent)
			n = len(indent)
		} else {
			b.WriteByte(' ')
			n++
		}
		b.WriteString(w)
		n += len(w)
	}
	if n > 0 {
		b.WriteByte('\n')
	}
	return b.String()
}

// Complete proposes continuations of the line before pos, commands and models included; replace is
// how many bytes before pos a candidate stands for.
func (s *Session) Complete(line string, pos int) (candidates []string, replace int) {
	pos = max(0, min(pos, len(line)))
	head := line[:pos]
	if len(s.pending) == 0 && strings.HasPrefix(head, ":") {
		word, args, spaced := strings.Cut(head, " ")
		if !spaced {
			for _, c := range commands() {
				if strings.HasPrefix(c.name, word) {
					candidates = append(candidates, c.name)
				}
			}
			return candidates, len(word)
		}
		if word == ":model" || word == ":graph" {
			for _, m := range s.c.Engine.Models() {
				if strings.HasPrefix(m, args) {
					candidates = append(candidates, m)
				}
			}
			return candidates, len(args)
		}
		if word == ":load" {
			return files(args), len(args)
		}
	}
	if rest, ok := strings.CutPrefix(head, "help "); ok && len(s.pending) == 0 {
		rest = strings.TrimLeft(rest, " ")
		for _, n := range s.c.Engine.Names() {
			if strings.HasPrefix(n, rest) {
				candidates = append(candidates, n)
			}
		}
		return candidates, len(rest)
	}
	// Earlier lines of the entry count: an argument is completed inside its call.
	if len(s.pending) > 0 {
		before := strings.Join(s.pending, "\n") + "\n"
		return s.c.Engine.Complete(before+line, len(before)+pos)
	}
	return s.c.Engine.Complete(line, pos)
}
