package trace

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Folder keeps one state of a long run on disk: numbers in a file of their own, beside a text in JSON that says which
// file that is. Whatever happens while a state is written, a power failure included, the folder holds the last one that was
// written whole, or the new one.
//
// There are two files of numbers, which take turns. A state is written into the one that is not in force and flushed to the disk; then the
// text, which names it with its length and hash, replaces the earlier text in one step. So the text and the numbers it
// names always belong together.
//
// A Folder is for one writer at a time.
type Folder struct {
	Path   string // it is made when a state is first written; its parent must exist
	Suffix string // of the files of numbers: ".safetensors"

	inForce string // the file that the text names
	ready   bool
}

// FolderState is the file state.json.
type FolderState struct {
	Format string          `json:"format"`
	File   string          `json:"file"`
	Bytes  int64           `json:"bytes"`
	SHA256 string          `json:"sha256"`
	State  json.RawMessage `json:"state"`
}

const (
	folderFormat = "udl state 1"
	folderText   = "state.json"
)

var folderTurns = [2]string{"a", "b"}

// FolderError is a folder that holds no state that can be read.
type FolderError struct{ Reason string }

// Error is the reason.
func (e *FolderError) Error() string { return e.Reason }

// Read gives the text and the numbers, nil without an error where no state was ever written. The error is *FolderError for what is damaged, else the system's.
func (f *Folder) Read() (state json.RawMessage, numbers []byte, err error) {
	if st, err := os.Stat(f.Path); err == nil && !st.IsDir() {
		return nil, nil, &FolderError{"it is a file, not a folder"}
	}
	b, err := os.ReadFile(filepath.Join(f.Path, folderText))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, cause(err)
	}
	var s FolderState
	if err := json.Unmarshal(b, &s); err != nil {
		return nil, nil, &FolderError{folderText + " is damaged: " + err.Error()}
	}
	if s.Format != folderFormat {
		return nil, nil, &FolderError{fmt.Sprintf("%s is of the format %.40q, this program reads %q", folderText, s.Format, folderFormat)}
	}
	if s.File != folderTurns[0]+f.Suffix && s.File != folderTurns[1]+f.Suffix {
		return nil, nil, &FolderError{fmt.Sprintf("%s names the file %.40q, which is none of its own", folderText, s.File)}
	}
	if numbers, err = os.ReadFile(filepath.Join(f.Path, s.File)); err != nil {
		return nil, nil, &FolderError{fmt.Sprintf("%s cannot be read: %v", s.File, cause(err))}
	}
	sum := sha256.Sum256(numbers)
	if int64(len(numbers)) != s.Bytes || hex.EncodeToString(sum[:]) != s.SHA256 {
		return nil, nil, &FolderError{s.File + " is not the file that " + folderText + " was written for: it has changed since"}
	}
	f.inForce = s.File
	return s.State, numbers, nil
}

// Write replaces the state. The text is state in JSON. The error is the system's, or that of write.
func (f *Folder) Write(state any, write func(io.Writer) error) error {
	text, err := json.Marshal(state)
	if err != nil {
		return err
	}
	if !f.ready {
		if err := f.Ready(); err != nil {
			return err
		}
	}
	s := FolderState{Format: folderFormat, File: folderTurns[0] + f.Suffix, State: text}
	if s.File == f.inForce {
		s.File = folderTurns[1] + f.Suffix
	}
	h := sha256.New()
	err = WriteFile(filepath.Join(f.Path, s.File), func(w io.Writer) error {
		c := &counter{w: io.MultiWriter(w, h)}
		err := write(c)
		s.Bytes = c.n
		return err
	})
	if err != nil {
		return err
	}
	s.SHA256 = hex.EncodeToString(h.Sum(nil))
	b, err := json.MarshalIndent(&s, "", " ")
	if err != nil {
		return err
	}
	if err := WriteFile(filepath.Join(f.Path, folderText), func(w io.Writer) error { _, err := w.Write(append(b, '\n')); return err }); err != nil {
		return err
	}
	f.inForce = s.File
	return nil
}

// Ready makes the folder, finds out which file is in force, and removes what a run that was killed left half written. Write does it
// if nobody has.
func (f *Folder) Ready() error {
	if err := os.Mkdir(f.Path, 0o777); err != nil && !errors.Is(err, fs.ErrExist) {
		return cause(err)
	}
	// The folder's own entry, too, is to outlast a loss of power.
	if d, err := os.Open(filepath.Dir(f.Path)); err == nil {
		_ = d.Sync()
		d.Close()
	}
	list, err := os.ReadDir(f.Path)
	if err != nil {
		return cause(err)
	}
	for _, e := range list {
		for _, own := range []string{folderText, folderTurns[0] + f.Suffix, folderTurns[1] + f.Suffix} {
			if strings.HasPrefix(e.Name(), "."+own+".") && strings.HasSuffix(e.Name(), ".tmp") {
				_ = os.Remove(filepath.Join(f.Path, e.Name()))
			}
		}
	}
	b, err := os.ReadFile(filepath.Join(f.Path, folderText))
	var s FolderState
	if err == nil && json.Unmarshal(b, &s) == nil {
		f.inForce = s.File
	}
	f.ready = true
	return nil
}

type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.n += int64(n)
	return n, err
}
