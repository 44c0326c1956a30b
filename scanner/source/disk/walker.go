package disk

import (
	"errors"
	"io/fs"
	"path"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/git/gitdir"
	"github.com/b10lint/b10lint/scanner/source"
)

// Options limit and tune a folder scan. The zero value reads everything.
type Options struct {
	Jobs    int           // goroutines; 0 means one a processor
	Filter  source.Filter // which paths are looked at
	SkipGit bool          // leave git folders to a history source; else their files are read like any
	// Repository is called, with SkipGit, with every work tree and bare repository that
	// the walk meets, from any goroutine. A bare one is then not walked.
	Repository func(name string)

	// Skip reports whether a folder is skipped with all below it; nil skips none.
	Skip func(name string) bool
	// Exposure is that of every file, if it is set.
	Exposure finding.Exposure
}

// A stamp shows whether a file changed.
type stamp struct {
	size, sec, nsec int64
	regular         bool
}

// An entry is one path: as the system knows it, as it is shown, and relative to
// the target, for the filter.
type entry struct{ real, shown, rel string }

// child is the entry of a name in a folder. Most often all it costs is one string:
// the path is shown as the system knows it, and only a filter needs it relative.
func (e entry) child(name string, filtered bool) entry {
	c := entry{real: join(e.real, name, filepath.Separator)}
	if c.shown = c.real; e.shown != e.real || filepath.Separator != '/' {
		c.shown = join(e.shown, name, '/')
	}
	if filtered {
		c.rel = path.Join(e.rel, name)
	}
	return c
}

func join(dir, name string, separator byte) string {
	switch {
	case dir == ".":
		return name
	case dir[len(dir)-1] == separator:
		return dir + name
	}
	return dir + string(separator) + name
}

// A job is a folder to list or a batch of files of one to read.
type job struct {
	dir   *entry
	files []entry
	in    *folder // nil for a file that is the target
}

type walker struct {
	to    source.Sink
	opts  Options
	queue queue
	whole sync.Mutex // held while a large file is in memory
}

// list queues what a folder holds, and returns the last files of it, which are read
// at once.
func (w *walker) list(e entry) (rest job, err error) {
	in, items, err := openFolder(e.real)
	if err != nil {
		if perr := w.problem(e, err); perr != nil {
			in.release()
			return job{}, perr
		}
	}
	rest.in = in
	if w.repository(e, items) {
		return rest, nil
	}
	filtered := !w.opts.Filter.Empty()
	for _, d := range items {
		child := e.child(d.name, filtered)
		switch {
		case d.dir:
			if w.opts.SkipGit && d.name == ".git" && hasObjects(child.real) || w.opts.Filter.SkipDir(child.rel) || w.opts.Skip != nil && w.opts.Skip(child.real) {
				continue
			}
			dir := child // only a folder's place is kept on the heap
			w.queue.push(job{dir: &dir})
		case d.regular:
			if w.opts.Filter.Skip(child.rel) {
				continue
			}
			if len(rest.files) == batch {
				in.retain()
				w.queue.push(rest)
				rest.files = nil
			}
			rest.files = append(rest.files, child)
		}
	}
	return rest, nil
}

// repository reports a repository, and reports whether it is a bare one.
func (w *walker) repository(e entry, items []item) (bare bool) {
	if !w.opts.SkipGit || w.opts.Repository == nil {
		return false
	}
	signs := 0
	for _, d := range items {
		switch d.name {
		case ".git":
			if !d.dir || hasObjects(filepath.Join(e.real, ".git")) {
				w.opts.Repository(e.shown)
			}
			return false
		case "HEAD", "objects", "refs":
			signs++
		}
	}
	if bare = signs == 3 && gitdir.Is(e.real); bare {
		w.opts.Repository(e.shown)
	}
	return bare
}

// hasObjects distinguishes a git folder from one that only has the name of one, the files
// of which are files like any.
func hasObjects(dir string) bool { return Exists(dir, "objects") }

func (w *walker) problem(e entry, err error) error {
	p := finding.Problem{Path: e.shown, Error: source.Reason(err)}
	if errors.Is(err, fs.ErrNotExist) {
		p.Error = "vanished while being scanned"
	}
	return w.to.Problem(p)
}

// A queue hands out jobs last in, first out, so that the walk stays deep and the
// queue short. It ends when every job that was taken is done and none is left.
type queue struct {
	mu     sync.Mutex
	ready  sync.Cond
	jobs   []job
	open   int // pushed and not done
	closed bool
	idle   atomic.Int32 // goroutines that wait for a job
}

func (q *queue) push(j job) {
	q.mu.Lock()
	q.jobs = append(q.jobs, j)
	q.open++
	q.mu.Unlock()
	q.ready.Signal()
}

// pop waits for a job; not ok means that there will be none.
func (q *queue) pop() (j job, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.jobs) == 0 && q.open > 0 && !q.closed {
		q.idle.Add(1)
		q.ready.Wait()
		q.idle.Add(-1)
	}
	if q.closed || len(q.jobs) == 0 {
		return job{}, false
	}
	last := len(q.jobs) - 1
	j = q.jobs[last]
	q.jobs[last] = job{}
	q.jobs = q.jobs[:last]
	return j, true
}

// done ends a job that pop gave out.
func (q *queue) done() {
	q.mu.Lock()
	q.open--
	ended := q.open == 0
	q.mu.Unlock()
	if ended {
		q.ready.Broadcast()
	}
}

// close makes every pop return at once.
func (q *queue) close() {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	q.ready.Broadcast()
}

// batch is small enough to spread one large folder over all goroutines.
const batch = 64
