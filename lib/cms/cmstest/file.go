package cmstest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
)

// firstFile keeps the ids of files apart from those of posts, for people who
// read a failing test.
const firstFile int64 = 500

// File is one picture in the library.
type File struct {
	ID               int64
	Name, Title, Alt string
	Type             string
	Data             []byte
}

// Files lists the library, the oldest first.
func (s *Site) Files() []File {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []File
	for _, f := range s.files {
		out = append(out, *f)
	}
	slices.SortFunc(out, func(a, b File) int { return int(a.ID - b.ID) })
	return out
}

// DeleteFile removes a picture, as a person would.
func (s *Site) DeleteFile(id int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.files, id)
}

// ChangeFile edits a picture, as a person would.
func (s *Site) ChangeFile(id int64, edit func(*File)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	edit(s.files[id])
}

func (s *Site) library(mux *http.ServeMux, media string) {
	mux.HandleFunc("GET "+media, s.auth(s.searchFiles))
	mux.HandleFunc("POST "+media, s.auth(s.upload))
	mux.HandleFunc("GET "+media+"/{id}", s.auth(s.file(func(w http.ResponseWriter, _ *http.Request, f *File) { reply(w, 200, s.wireFile(f)) })))
	mux.HandleFunc("POST "+media+"/{id}", s.auth(s.file(func(w http.ResponseWriter, r *http.Request, f *File) {
		var in struct {
			Alt *string `json:"alt_text"`
		}
		if json.NewDecoder(r.Body).Decode(&in) == nil && in.Alt != nil {
			f.Alt = *in.Alt
		}
		reply(w, 200, s.wireFile(f))
	})))
	mux.HandleFunc("GET /wp-content/uploads/{name}", func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, f := range s.files {
			if f.Name == r.PathValue("name") {
				w.Header().Set("Content-Type", f.Type)
				_, _ = w.Write(f.Data)
				return
			}
		}
		http.NotFound(w, r)
	})
}

func (s *Site) file(next func(http.ResponseWriter, *http.Request, *File)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		id, _ := strconv.ParseInt(r.PathValue("id"), 10, 64)
		if s.files[id] == nil {
			refuse(w, 404, "rest_post_invalid_id", "Invalid post ID.", nil)
			return
		}
		next(w, r, s.files[id])
	}
}

func (s *Site) searchFiles(w http.ResponseWriter, r *http.Request) {
	list := []any{}
	for id := firstFile + 1; id <= s.lastFile; id++ {
		if f := s.files[id]; f != nil && strings.Contains(f.Name+f.Title+f.Alt, r.URL.Query().Get("search")) {
			list = append(list, s.wireFile(f))
		}
	}
	reply(w, 200, list)
}

// upload takes a form, and refuses what the real one does.
func (s *Site) upload(w http.ResponseWriter, r *http.Request) {
	in, head, err := r.FormFile("file")
	if err != nil {
		refuse(w, 400, "rest_upload_no_data", "No data supplied.", nil)
		return
	}
	data, _ := io.ReadAll(in)
	kind := http.DetectContentType(data)
	if !strings.HasPrefix(kind, "image/") {
		refuse(w, 500, "rest_upload_unknown_error", "Sorry, you are not allowed to upload this file type.", nil)
		return
	}
	if s.Squeeze != nil {
		data = s.Squeeze(data)
	}
	s.lastFile = max(s.lastFile, firstFile) + 1
	f := &File{ID: s.lastFile, Name: head.Filename, Title: r.FormValue("title"), Alt: r.FormValue("alt_text"), Type: kind, Data: data}
	ext := path.Ext(f.Name)
	for base, n := strings.TrimSuffix(f.Name, ext), 1; s.named(f.Name); n++ {
		f.Name = fmt.Sprintf("%s-%d%s", base, n, ext)
	}
	s.files[f.ID] = f
	reply(w, 201, s.wireFile(f))
}

func (s *Site) named(name string) bool {
	for _, f := range s.files {
		if f.Name == name {
			return true
		}
	}
	return false
}

func (s *Site) wireFile(f *File) map[string]any {
	return map[string]any{"id": f.ID, "source_url": s.URL + "/wp-content/uploads/" + f.Name, "alt_text": f.Alt}
}
