package repl

import (
	"os"
	"path/filepath"
	"strings"
)

// files completes the path of a model file.
func files(head string) []string {
	dir, base := filepath.Split(head)
	look := dir
	if look == "" {
		look = "."
	}
	entries, err := os.ReadDir(look)
	if err != nil {
		return nil
	}
	var out []string
	for _, e := range entries {
		n := e.Name()
		switch {
		case !strings.HasPrefix(n, base) || strings.HasPrefix(n, ".") && base == "":
		case e.IsDir():
			out = append(out, dir+n+string(filepath.Separator))
		case strings.HasSuffix(n, ".udl"):
			out = append(out, dir+n)
		}
	}
	return out
}

// HistoryFile is where the prompt keeps what was typed: udl/history in the state directory of
// the XDG base directory specification ($XDG_STATE_HOME, else ~/.local/state), or in the user's
// configuration directory where that is the system's custom. It makes the directory. It is "",
// for no history, when nothing there can be written.
func HistoryFile() string {
	dir := os.Getenv("XDG_STATE_HOME")
	if !filepath.IsAbs(dir) {
		home, err := os.UserHomeDir()
		if err != nil {
			return ""
		}
		dir = filepath.Join(home, ".local", "state")
		if c, err := os.UserConfigDir(); err == nil && !strings.HasPrefix(c, filepath.Join(home, ".config")) && os.Getenv("XDG_CONFIG_HOME") == "" {
			dir = c
		}
	}
	dir = filepath.Join(dir, "udl")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return ""
	}
	path := filepath.Join(dir, "history")
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return ""
	}
	f.Close()
	return path
}
