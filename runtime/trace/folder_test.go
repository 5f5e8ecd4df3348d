package trace

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func put(t *testing.T, f *Folder, text, numbers string) {
	t.Helper()
	if err := f.Write(text, func(w io.Writer) error { _, err := io.WriteString(w, numbers); return err }); err != nil {
		t.Fatal(err)
	}
}

func get(t *testing.T, path string) (string, string) {
	t.Helper()
	s, n, err := (&Folder{Path: path, Suffix: ".bin"}).Read()
	if err != nil {
		t.Fatal(err)
	}
	return string(s), string(n)
}

func TestFolder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run")
	if s, n := get(t, path); s != "" || n != "" {
		t.Errorf("nothing was written, and %q, %q is read", s, n)
	}
	f := &Folder{Path: path, Suffix: ".bin"}
	put(t, f, "one", "111")
	put(t, f, "two", "222")
	f = &Folder{Path: path, Suffix: ".bin"} // another run
	put(t, f, "three", "333")
	if s, n := get(t, path); s != `"three"` || n != "333" {
		t.Errorf("%q, %q", s, n)
	}
	list, err := os.ReadDir(path)
	if err != nil || len(list) != 3 {
		t.Errorf("%v, %v", list, err)
	}

	// A write that fails leaves the state before it, and no rubbish; the next one is whole.
	boom := errors.New("boom")
	if err := f.Write("four", func(w io.Writer) error { _, _ = io.WriteString(w, "44"); return boom }); !errors.Is(err, boom) {
		t.Error(err)
	}
	if s, n := get(t, path); s != `"three"` || n != "333" {
		t.Errorf("after a failure %q, %q", s, n)
	}
	put(t, f, "five", "555")

	// A run that was killed between the two files, and within one: numbers of a state that is not in force, halves of files.
	in := f.inForce
	other := folderTurns[0] + ".bin"
	if other == in {
		other = folderTurns[1] + ".bin"
	}
	for name, text := range map[string]string{other: "666", "." + other + ".4711-0.tmp": "66", ".state.json.4711-0.tmp": "{", "mine.txt": "keep"} {
		if err := os.WriteFile(filepath.Join(path, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if s, n := get(t, path); s != `"five"` || n != "555" {
		t.Errorf("after a kill %q, %q", s, n)
	}
	put(t, &Folder{Path: path, Suffix: ".bin"}, "seven", "777")
	if s, n := get(t, path); s != `"seven"` || n != "777" {
		t.Errorf("%q, %q", s, n)
	}
	if list, _ = os.ReadDir(path); len(list) != 4 {
		t.Errorf("%v", list)
	}
}

func TestFolderDamaged(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(path string) error
		want  string
	}{
		"numbers": {func(p string) error { return os.WriteFile(filepath.Join(p, "a.bin"), []byte("11"), 0o644) }, "changed since"},
		"missing": {func(p string) error { return os.Remove(filepath.Join(p, "a.bin")) }, "cannot be read"},
		"text":    {func(p string) error { return os.Truncate(filepath.Join(p, "state.json"), 20) }, "damaged"},
		"format":  {func(p string) error { return os.WriteFile(filepath.Join(p, "state.json"), []byte("{}"), 0o644) }, "of the format"},
		"elsewhere": {func(p string) error {
			return os.WriteFile(filepath.Join(p, "state.json"), []byte(`{"format":"udl state 1","file":"../secret"}`), 0o644)
		}, "none of its own"},
		"file": {func(p string) error { _ = os.RemoveAll(p); return os.WriteFile(p, nil, 0o644) }, "not a folder"},
	} {
		path := filepath.Join(t.TempDir(), "run")
		put(t, &Folder{Path: path, Suffix: ".bin"}, "one", "111")
		if err := c.spoil(path); err != nil {
			t.Fatal(err)
		}
		_, _, err := (&Folder{Path: path, Suffix: ".bin"}).Read()
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	if err := (&Folder{Path: filepath.Join(t.TempDir(), "no", "such")}).Write(1, func(io.Writer) error { return nil }); err == nil {
		t.Error("a folder in none")
	}
}
