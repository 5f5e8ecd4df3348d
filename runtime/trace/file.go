package trace

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// WriteFile makes a file of what write gives, all or nothing: it writes a temporary file
// beside it, flushes that to the disk and renames it, so that neither an error nor a loss of
// power leaves half a file or destroys an earlier one. A symbolic link is followed. The
// permissions are those of the file replaced, else 0644 less the umask. The error is that of
// write, or of the system without the path, which the caller knows.
func WriteFile(path string, write func(io.Writer) error) (err error) {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	if st, err := os.Stat(path); err == nil && !st.Mode().IsRegular() {
		return writeThrough(path, write)
	}
	dir, base := filepath.Split(path)
	if dir == "" {
		dir = "."
	}
	// Not os.CreateTemp: its 0600 would stay, and the umask cannot be asked for.
	var f *os.File
	for i := 0; ; i++ {
		name := filepath.Join(dir, fmt.Sprintf(".%s.%d-%d.tmp", base, os.Getpid(), i))
		if f, err = os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644); err == nil {
			break
		}
		if !os.IsExist(err) || i > 100 {
			return cause(err)
		}
	}
	tmp := f.Name()
	done := false
	defer func() {
		if !done { // after a panic of write too
			f.Close()
			os.Remove(tmp)
		}
	}()
	if st, e := os.Stat(path); e == nil {
		if e := f.Chmod(st.Mode().Perm()); e != nil {
			return cause(e)
		}
	}
	if err := write(f); err != nil {
		return cause(err)
	}
	if err := f.Sync(); err != nil {
		return cause(err)
	}
	if err := f.Close(); err != nil {
		return cause(err)
	}
	if err := os.Rename(tmp, path); err != nil {
		return cause(err)
	}
	done = true
	// The rename itself is durable once the directory is; where directories cannot be
	// flushed (Windows), that is left to the system.
	if d, e := os.Open(dir); e == nil {
		_ = d.Sync()
		d.Close()
	}
	return nil
}

// writeThrough is for what cannot be replaced by renaming: /dev/stdout, a pipe.
func writeThrough(path string, write func(io.Writer) error) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return cause(err)
	}
	if err := write(f); err != nil {
		f.Close()
		return cause(err)
	}
	if err := f.Close(); err != nil {
		return cause(err)
	}
	return nil
}

// cause is what went wrong without the name of the temporary file; callers know the file's.
func cause(err error) error {
	switch e := err.(type) {
	case *os.PathError:
		return e.Err
	case *os.LinkError:
		return e.Err
	}
	return err
}
