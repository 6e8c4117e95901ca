package platform

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	gort "runtime"
	"strings"
	"sync"
	"syscall"
)

// upload builds the functions side by side and copies each binary into dir.
// One line of Go can break all of them, so every failure is reported.
func upload(ctx context.Context, functions []*function, dir string, rebuild bool) error {
	faults := make([]error, len(functions))
	slots := make(chan struct{}, gort.NumCPU())
	var wg sync.WaitGroup
	for i, f := range functions {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			faults[i] = f.upload(ctx, dir, rebuild)
		})
	}
	wg.Wait()
	return errors.Join(faults...)
}

// binary is where a function's uploaded copy lies.
func (f *function) binary(dir string) string { return filepath.Join(dir, f.pkg+"-"+f.name) }

// upload holds a lock on the function's folder, because another platform (a
// test of another package, say) may be building it too.
func (f *function) upload(ctx context.Context, dir string, rebuild bool) error {
	folder, err := os.Open(f.dir)
	if err != nil {
		return err
	}
	defer func() { _ = folder.Close() }()
	if err := syscall.Flock(int(folder.Fd()), syscall.LOCK_EX); err != nil {
		return fmt.Errorf("lock %s: %w", f.dir, err)
	}
	if rebuild {
		if err := f.build(ctx); err != nil {
			return err
		}
	}
	return f.copy(dir)
}

func (f *function) build(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, "./build.sh")
	cmd.Dir = f.dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("build %s: %w\n%s", f.path(), err, strings.TrimRight(string(out), "\n"))
	}
	return nil
}

func (f *function) copy(dir string) error {
	code, err := os.ReadFile(filepath.Join(f.dir, "exec"))
	if err != nil {
		return fmt.Errorf("%s is not built: run its build.sh: %w", f.path(), err)
	}
	// A process forked while the copy is open for writing would hold it open
	// until it has become something else, and starting the copy would fail.
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	return os.WriteFile(f.binary(dir), code, 0o700) //nolint:gosec // it is a program
}
