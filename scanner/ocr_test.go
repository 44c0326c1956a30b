package scanner

import (
	"archive/tar"
	"bytes"
	"encoding/base64"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gomono"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/archive/archivetest"
	"github.com/b10lint/b10lint/internal/fakekey"
	"github.com/b10lint/b10lint/scanner/source/disk"
	"github.com/b10lint/b10lint/scanner/source/unpack"
)

// A screenshot draws a terminal of some columns with text in it, as large as the
// text needs.
type screenshot struct {
	points      float64
	columns     int
	ground, pen color.Color
	jpeg        bool
}

func (s screenshot) draw(t *testing.T, text string) []byte {
	t.Helper()
	f, err := opentype.Parse(gomono.TTF)
	if err != nil {
		t.Fatal(err)
	}
	face, err := opentype.NewFace(f, &opentype.FaceOptions{Size: s.points, DPI: 72, Hinting: font.HintingFull})
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		for len(line) > s.columns {
			lines, line = append(lines, line[:s.columns]), line[s.columns:]
		}
		lines = append(lines, line)
	}
	height := face.Metrics().Height.Ceil()
	advance, _ := face.GlyphAdvance('M')
	img := image.NewRGBA(image.Rect(0, 0, (s.columns+2)*advance.Ceil(), (len(lines)+1)*height))
	draw.Draw(img, img.Bounds(), image.NewUniform(s.ground), image.Point{}, draw.Src)
	d := font.Drawer{Dst: img, Src: image.NewUniform(s.pen), Face: face}
	for i, line := range lines {
		d.Dot = fixed.P(advance.Ceil(), (i+1)*height)
		d.DrawString(line)
	}
	var b bytes.Buffer
	if s.jpeg {
		err = jpeg.Encode(&b, img, nil)
	} else {
		err = png.Encode(&b, img)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

var (
	darkTerminal  = screenshot{points: 16, columns: 100, ground: color.Gray{30}, pen: color.Gray{212}}
	lightTerminal = screenshot{points: 14, columns: 100, ground: color.White, pen: color.Black}
	narrowWindow  = screenshot{points: 16, columns: 40, ground: color.Gray{20}, pen: color.RGBA{80, 250, 120, 255}}
	photographed  = screenshot{points: 26, columns: 90, ground: color.White, pen: color.Gray{40}, jpeg: true}
)

func tesseract(t *testing.T) unpack.PictureOptions {
	t.Helper()
	program, err := exec.LookPath("tesseract")
	if err != nil {
		t.Skip("tesseract is not installed")
	}
	return unpack.PictureOptions{Program: program, Env: []string{"PATH=" + os.Getenv("PATH"), "TESSDATA_PREFIX=" + os.Getenv("TESSDATA_PREFIX"), "OMP_THREAD_LIMIT=1"}}
}

// session is what a terminal may show, one key a line.
func session(keys ...string) string {
	text := "$ truss login\nTalking to baseten.co\n"
	for i, k := range keys {
		switch i % 3 {
		case 0:
			text += "$ export BASETEN_API_KEY=" + k + "\n"
		case 1:
			text += "$ curl -H \"Authorization: Api-Key " + k + "\" https://app.baseten.co/v1/models\n"
		default:
			text += "api_key: " + k + " # baseten\nresult: 200 OK\n"
		}
	}
	return text + "$ ls\nmodel  config.yaml  data\n"
}

// alike compares prefixes as they may be misread.
func alike(a, b string) bool {
	fold := strings.NewReplacer("O", "0", "o", "0", "Q", "0", "D", "0", "l", "1", "I", "1", "i", "1", "L", "1", "T", "1", "S", "5", "s", "5", "Z", "2", "z", "2", "B", "8", "g", "9", "q", "9")
	return strings.EqualFold(fold.Replace(a), fold.Replace(b))
}

// Keys in real pictures of terminals: found at low confidence, listed all the same.
func TestScreenshots(t *testing.T) {
	opts := tesseract(t)
	m := fakekey.New(50)
	want, found := 0, 0
	for i, s := range []screenshot{darkTerminal, lightTerminal, narrowWindow, photographed} {
		name := []string{"dark", "light", "narrow", "photographed"}[i]
		dir := t.TempDir()
		var keys []string
		for range 10 {
			keys = append(keys, m.B10())
		}
		if err := os.WriteFile(filepath.Join(dir, "shot"), s.draw(t, session(keys...)), 0o600); err != nil {
			t.Fatal(err)
		}
		r := scan(t, finding.MediumConfidence, unpack.Pictures(disk.Dir(dir, disk.Options{}), opts))
		n := 0
		for _, k := range keys {
			for _, f := range r.Findings {
				if alike(f.Prefix, k[:12]) {
					n++
					break
				}
			}
		}
		t.Logf("%s: %d of %d keys, %d findings", name, n, len(keys), len(r.Findings))
		want, found = want+len(keys), found+n
		if len(r.Findings) > len(keys) || len(r.Problems) > 0 {
			t.Errorf("%s: %d findings for %d keys, problems %v", name, len(r.Findings), len(keys), r.Problems)
		}
		for _, f := range r.Findings {
			l := f.Locations[0]
			if f.Confidence != finding.LowConfidence || fmt.Sprint(l.Decoded) != "[ocr]" || l.Line != 0 || l.Context != "picture" {
				t.Errorf("%s: %s %s, %+v", name, f.Prefix, f.Confidence, l)
			}
			hides(t, name, l.Snippet, keys...)
		}
	}
	if found*100 < want*90 {
		t.Errorf("%d of %d keys were read", found, want)
	}
}

// Pictures in notebooks and in archives, and a notebook in an archive.
func TestPicturePlaces(t *testing.T) {
	opts := tesseract(t)
	m := fakekey.New(51)
	dir := t.TempDir()
	keys := []string{m.B10(), m.B10(), m.B10(), m.B10()}
	shot := func(i int) []byte { return lightTerminal.draw(t, session(keys[i])) }
	encoded := func(i int) string { return base64.StdEncoding.EncodeToString(shot(i)) }
	book := `{"cells": [
 {"cell_type": "markdown", "metadata": {}, "attachments": {"a.png": {"image/png": "` + encoded(0) + `"}}, "source": ["![](attachment:a.png)"]},
 {"cell_type": "code", "metadata": {}, "source": ["x"], "outputs": [{"output_type": "display_data", "metadata": {},
  "data": {"text/plain": ["<Figure>"], "image/png": "` + encoded(1) + `\n"}}]}], "nbformat": 4, "nbformat_minor": 5, "metadata": {}}`
	write(t, dir, "run.ipynb", book)
	write(t, dir, "pictures.tgz", string(archivetest.Gzip(t, archivetest.Tar(tar.FormatGNU)(t,
		archivetest.File{Name: "x/shot.png", Data: shot(2)}, archivetest.File{Name: "empty.png", Data: screenshot{points: 8, columns: 8, ground: color.White, pen: color.White}.draw(t, "x")}))))
	write(t, dir, "broken.png", string(shot(3)[:3000]))
	r := scan(t, finding.MediumConfidence,
		unpack.Pictures(unpack.Archives(disk.Dir(dir, disk.Options{}), unpack.Limits{}), opts))
	var got []string
	for i, f := range r.Findings {
		l := r.place(i, 0)
		place := filepath.Base(l.Path) + "!" + l.Member
		if l.Cell != nil {
			place += fmt.Sprintf(" %d %s %s", l.Cell.Index, l.Cell.Part, l.Cell.Output)
		}
		got = append(got, place)
		if !strings.HasPrefix(f.Prefix, "b10_") {
			t.Errorf("prefix %s", f.Prefix)
		}
	}
	slices.Sort(got)
	want := "[pictures.tgz!x/shot.png run.ipynb! 0 attachment  run.ipynb! 1 output display]"
	if fmt.Sprint(got) != want {
		t.Errorf("found in %v, want %s", got, want)
	}
	if len(r.Problems) != 1 || !r.Problems[0].Warning || !r.Summary.Complete {
		t.Errorf("problems %v", r.Problems)
	}
}

func TestOCRLimits(t *testing.T) {
	opts := tesseract(t)
	dir := t.TempDir()
	for i := range 3 {
		write(t, dir, fmt.Sprint(i), string(lightTerminal.draw(t, "nothing to see")))
	}
	one := opts
	one.Images = 1
	r := scan(t, finding.LowConfidence, unpack.Pictures(disk.Dir(dir, disk.Options{}), one))
	if len(r.Problems) != 1 || r.Problems[0].Hint != "raise it with --ocr-images" || r.Summary.Complete {
		t.Errorf("problems %v", r.Problems)
	}
	hasty := opts
	hasty.Timeout = time.Nanosecond
	r = scan(t, finding.LowConfidence, unpack.Pictures(disk.Dir(dir, disk.Options{}), hasty))
	if len(r.Problems) != 3 || !strings.Contains(r.Problems[0].Error, "stopped after") || r.Summary.Complete {
		t.Errorf("problems %v", r.Problems)
	}
	absent := opts
	absent.Program = filepath.Join(dir, "no such program")
	r = scan(t, finding.LowConfidence, unpack.Pictures(disk.Dir(dir, disk.Options{}), absent))
	if len(r.Problems) != 3 || r.Summary.Complete {
		t.Errorf("problems %v", r.Problems)
	}
	huge := image.NewPaletted(image.Rect(0, 0, 40_000, 1000), color.Palette{color.White, color.Black})
	var b bytes.Buffer
	if err := png.Encode(&b, huge); err != nil {
		t.Fatal(err)
	}
	r = scan(t, finding.LowConfidence, unpack.Pictures(disk.Reader(&b, finding.Location{Path: "-"}), opts))
	if len(r.Problems) != 1 || !strings.Contains(r.Problems[0].Error, "too large") || r.Summary.Complete {
		t.Errorf("problems %v", r.Problems)
	}
}
