package publish

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"blogposter/lib/editorial"
	"blogposter/lib/fault"
)

// mark is the part of a picture's hash that stands in its file name, and finds
// it again.
func mark(m editorial.Media) string { return m.Hash[:min(len(m.Hash), 16)] }

// picture returns the file in the site's library that is m: one that is known,
// else one that is found by its name, else a new one. Its bytes and its
// alternative text are what was approved.
func (a *attempt) picture(ctx context.Context, m editorial.Media) (int64, error) {
	f, found, err := a.knownFile(ctx, m)
	if err == nil && !found {
		f, found, err = a.lookForFile(ctx, m)
	}
	if err == nil && !found {
		f, err = a.upload(ctx, m)
	}
	if err == nil && f.Alt != m.Alt {
		f, err = a.describe(ctx, f, m)
	}
	if err != nil {
		return 0, err
	}
	if err := a.sameBytes(ctx, f, m); err != nil {
		return 0, err
	}
	return f.ID, a.store.KeepMediaFile(ctx, a.lease, m.Hash, f)
}

// knownFile is the file that the store knows, unless somebody has deleted it,
// or its id is another one's now.
func (a *attempt) knownFile(ctx context.Context, m editorial.Media) (editorial.File, bool, error) {
	known, ok, err := a.store.MediaFile(ctx, a.lease, m.Hash)
	if err != nil || !ok {
		return editorial.File{}, false, err
	}
	f, there, err := a.blog.File(ctx, known.ID)
	return f, there && f.URL == known.URL, err
}

// lookForFile finds the file of an upload whose answer was lost. Of several
// the oldest is taken, by every attempt alike.
func (a *attempt) lookForFile(ctx context.Context, m editorial.Media) (editorial.File, bool, error) {
	files, err := a.blog.FindFiles(ctx, mark(m))
	if err != nil || len(files) == 0 {
		return editorial.File{}, false, err
	}
	return files[0], true, nil
}

func (a *attempt) upload(ctx context.Context, m editorial.Media) (editorial.File, error) {
	data, err := a.files.Get(ctx, m.Hash)
	if err != nil {
		return editorial.File{}, fmt.Errorf("picture %s: %w", m.Name, err)
	}
	var f editorial.File
	sendErr := a.write(ctx, "upload", m, func(ctx context.Context) (err error) {
		f, err = a.blog.Upload(ctx, m, data)
		return err
	})
	if !fault.IsLost(sendErr) {
		return f, sendErr
	}
	f, found, err := a.lookForFile(ctx, m)
	if err == nil && !found {
		err = sendErr // the next attempt looks again before it uploads
	}
	return f, err
}

func (a *attempt) describe(ctx context.Context, f editorial.File, m editorial.Media) (editorial.File, error) {
	err := a.write(ctx, "describe", m, func(ctx context.Context) error {
		_, err := a.blog.Describe(ctx, f.ID, m.Alt)
		return err
	})
	if err != nil && !fault.IsLost(err) {
		return f, err
	}
	stored, there, readErr := a.blog.File(ctx, f.ID)
	switch {
	case readErr != nil:
		return f, readErr
	case there && stored.Alt == m.Alt:
		return stored, nil
	case err != nil:
		return f, err
	}
	return f, fault.NeedsHuman(fmt.Errorf("file %d keeps the alternative text %.80q instead of %.80q, nothing of this is public: look for a plugin that writes alternative texts", f.ID, stored.Alt, m.Alt))
}

// sameBytes reads the picture as anybody does. Nothing is fetched from
// elsewhere than the site, where a plugin may have moved it.
func (a *attempt) sameBytes(ctx context.Context, f editorial.File, m editorial.Media) error {
	if !ownAddress(a.dossier.Site, f.URL) {
		a.note("file %d lies at %s, which is not on the site, so that its bytes could not be compared", f.ID, f.URL)
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, a.timeout)
	defer cancel()
	data, err := a.blog.Bytes(ctx, f.URL)
	if err != nil {
		return err
	}
	if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != m.Hash {
		return fault.NeedsHuman(fmt.Errorf("file %d at %s is not the picture that was approved (%d bytes instead): look for a plugin that shrinks or converts uploads, delete the file there, and try again",
			f.ID, f.URL, len(data)))
	}
	return nil
}
