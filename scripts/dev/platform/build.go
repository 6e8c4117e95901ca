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

	"blogposter/scripts/dev/project"
)

// upload builds the functions side by side and copies each binary into dir.
// One line of Go can break all of them, so every failure is reported.
func upload(ctx context.Context, functions []*project.Function, dir string, rebuild bool) error {
	faults := make([]error, len(functions))
	slots := make(chan struct{}, gort.NumCPU())
	var wg sync.WaitGroup
	for i, f := range functions {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			faults[i] = uploadOne(ctx, f, dir, rebuild)
		})
	}
	wg.Wait()
	return errors.Join(faults...)
}

// binary is where a function's uploaded copy lies.
func binary(dir string, f *project.Function) string { return filepath.Join(dir, f.Package+"-"+f.Name) }

// uploadOne holds a lock on the function's folder, because another platform (a
// test of another package, say) may be building it too.
func uploadOne(ctx context.Context, f *project.Function, dir string, rebuild bool) error {
	folder, err := os.Open(f.Dir)
	if err != nil {
		return err
	}
	defer func() { _ = folder.Close() }()
	if err := syscall.Flock(int(folder.Fd()), syscall.LOCK_EX); err != nil {
		return fmt.Errorf("lock %s: %w", f.Dir, err)
	}
	if rebuild {
		if err := buildOne(ctx, f); err != nil {
			return err
		}
	}
	return copyOne(f, dir)
}

func buildOne(ctx context.Context, f *project.Function) error {
	cmd := exec.CommandContext(ctx, "./build.sh")
	cmd.Dir = f.Dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("build %s: %w\n%s", f.Path(), err, strings.TrimRight(string(out), "\n"))
	}
	return nil
}

func copyOne(f *project.Function, dir string) error {
	code, err := os.ReadFile(filepath.Join(f.Dir, "exec"))
	if err != nil {
		return fmt.Errorf("%s is not built: run its build.sh: %w", f.Path(), err)
	}
	if err := f.CodeFault(int64(len(code))); err != nil {
		return err
	}
	// A process forked while the copy is open for writing would hold it open
	// until it has become something else, and starting the copy would fail.
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	return os.WriteFile(binary(dir, f), code, 0o700) //nolint:gosec // it is a program
}
