package truss

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/git/ignore"
	"github.com/b10lint/b10lint/internal/regular"
	"github.com/b10lint/b10lint/scanner/source"
)

const trussIgnoreName = ".truss_ignore"

// builtinIgnore restates what truss 0.18 leaves out of an upload when the truss has
// no .truss_ignore of its own (truss/util/.truss_ignore).
const builtinIgnore = `
__pycache__/
*.py[cod]
*$py.class
*.so
.Python
build/
develop-eggs/
dist/
downloads/
eggs/
.eggs/
lib/
lib64/
parts/
sdist/
var/
wheels/
share/python-wheels/
*.egg-info/
.installed.cfg
*.egg
MANIFEST
.DS_Store
*.manifest
*.spec
pip-log.txt
pip-delete-this-directory.txt
htmlcov/
.tox/
.nox/
.coverage
.coverage.*
.cache
nosetests.xml
coverage.xml
*.cover
*.py,cover
.hypothesis/
.pytest_cache/
cover/
*.mo
*.pot
*.log
local_settings.py
db.sqlite3
db.sqlite3-journal
instance/
.webassets-cache
.scrapy
docs/_build/
.pybuilder/
target/
.ipynb_checkpoints
profile_default/
ipython_config.py
.pdm.toml
__pypackages__/
celerybeat-schedule
celerybeat.pid
*.sage.py
.env
.venv
env/
venv/
ENV/
env.bak/
venv.bak/
.spyderproject
.spyproject
.ropeproject
.mypy_cache/
.dmypy.json
dmypy.json
.ruff_cache/
.pyre/
.pytype/
cython_debug/
.git
*.tmp
*.swp
`

// builtinSpec compiles the built-in list.
func builtinSpec() (*ignore.PathSpec, error) { return ignore.ParsePathSpec([]byte(builtinIgnore)) }

// archiveSpec returns what decides for a folder that is archived: its own
// .truss_ignore, which replaces the built-in list, or that list. custom is nil
// without a file of its own.
func archiveSpec(dir string, builtin *ignore.PathSpec) (spec, custom *ignore.PathSpec, err error) {
	data, err := regular.ReadFile(filepath.Join(dir, trussIgnoreName), source.SmallFile)
	if errors.Is(err, fs.ErrNotExist) {
		return builtin, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	custom, err = ignore.ParsePathSpec(data)
	return custom, custom, err
}

// badIgnore words a .truss_ignore that cannot be used.
func badIgnore(dir string, err error) finding.Problem {
	p := source.Unreadable(filepath.Join(dir, trussIgnoreName), err)
	p.Error = fmt.Sprintf("%s; the upload set is worked out with the built-in list", p.Error)
	p.Hint = "correct it: truss push fails on it as well"
	return p
}
