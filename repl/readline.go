package repl

import (
	"errors"
	"io"
	"os"
	"strings"

	"github.com/chzyer/readline"
)

// editor is the line editor at a terminal: history, completion, Emacs keys.
type editor struct{ rl *readline.Instance }

var (
	_ LineReader = (*editor)(nil)
	_ Saver      = (*editor)(nil)
)

// EditorOptions configure NewEditor.
type EditorOptions struct {
	Stdin          io.ReadCloser // the process's when nil
	Stdout, Stderr io.Writer
	History        string // a file; "" for none
	// Complete is Session.Complete.
	Complete func(line string, pos int) (candidates []string, replace int)
}

// NewEditor takes over the terminal while a line is being read, and only then: during a
// computation Ctrl-C is a signal again. The error is that of a terminal that cannot be used.
func NewEditor(o EditorOptions) (LineReader, error) {
	if o.Stdin == nil {
		o.Stdin = os.Stdin
	}
	rl, err := readline.NewEx(&readline.Config{
		Stdin:        keys{o.Stdin},
		Stdout:       o.Stdout,
		Stderr:       o.Stderr,
		HistoryFile:  o.History,
		HistoryLimit: 2000,
		// An entry of several lines is one item of history, which only the session knows.
		DisableAutoSaveHistory: true,
		HistorySearchFold:      true,
		InterruptPrompt:        "^C",
		AutoComplete:           completer{o.Complete},
	})
	if err != nil {
		return nil, err
	}
	return &editor{rl}, nil
}

func (e *editor) ReadLine(prompt string) (string, error) {
	e.rl.SetPrompt(prompt)
	line, err := e.rl.Readline()
	if errors.Is(err, readline.ErrInterrupt) {
		err = ErrInterrupt
	}
	return line, err
}

// Save keeps an entry; its lines are joined, as the editor's items have one line.
func (e *editor) Save(entry string) {
	_ = e.rl.SaveHistory(oneLine(entry)) // a full disk must not end the session
}

func (e *editor) Close() error { return e.rl.Close() }

// keys leaves NUL bytes out of what is typed. The editor takes one for the end of input, and a
// terminal makes one of a Ctrl-D that was typed while something was computed.
type keys struct{ io.ReadCloser }

func (k keys) Read(b []byte) (int, error) {
	for {
		n, err := k.ReadCloser.Read(b)
		kept := 0
		for _, c := range b[:n] {
			if c != 0 {
				b[kept] = c
				kept++
			}
		}
		if kept > 0 || n == 0 || err != nil {
			return kept, err
		}
	}
}

// completer fits Complete to the editor, which wants the missing rest of each candidate.
type completer struct {
	complete func(line string, pos int) ([]string, int)
}

// Do implements readline.AutoCompleter.
func (c completer) Do(line []rune, pos int) ([][]rune, int) {
	if c.complete == nil {
		return nil, 0
	}
	head := string(line[:pos])
	cands, replace := c.complete(string(line), len(head))
	replace = max(0, min(replace, len(head)))
	typed := head[len(head)-replace:]
	var rest [][]rune
	for _, cand := range cands {
		if r, ok := strings.CutPrefix(cand, typed); ok {
			rest = append(rest, []rune(r))
		}
	}
	return rest, len([]rune(typed))
}
