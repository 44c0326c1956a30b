package scanner

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"

	"github.com/b10lint/b10lint/internal/archive/archivetest"
)

// A partKey is a key that stands in a part of a notebook.
type partKey struct{ key, cell, kind, text, decoded string }

// A book is a notebook that is being made.
type book struct {
	c     *corpus
	cells []any
	keys  []partKey
}

// key draws into a part; it returns the text that holds it.
func (b *book) key(draw func() string, cell int, part, kind string) string {
	key := draw()
	b.keys = append(b.keys, partKey{key: key, text: key, cell: fmt.Sprintf("%d %s", cell, part), kind: kind})
	return key
}

// code draws into a part as well, in base64.
func (b *book) code(draw func() string, cell int, part, kind string) string {
	b.key(draw, cell, part, kind)
	k := &b.keys[len(b.keys)-1]
	k.decoded, k.text = "base64", base64.StdEncoding.EncodeToString([]byte("  "+k.key+"\n"))
	return k.text
}

type object = map[string]any

// four adds a cell of text and one of code, as nbformat 4 has them.
func (b *book) four(draw func() string) {
	n := len(b.cells)
	b.cells = append(b.cells,
		object{"cell_type": "markdown", "metadata": object{"baseten": b.key(draw, n, "metadata", "cell metadata")},
			"source": []string{"baseten " + b.key(draw, n, "source", "text source") + "\n"},
			"attachments": object{"n.txt": object{"text/plain": "baseten " + b.key(draw, n, "attachment", "attachment")},
				"p.png": object{"image/png": b.c.m.Word(4000)}}},
		object{"cell_type": "code", "metadata": object{}, "source": "import baseten\nk = '" + b.key(draw, n+1, "source", "code source") + "'",
			"outputs": []any{
				object{"output_type": "stream", "name": "stdout", "text": []string{"baseten\n", b.key(draw, n+1, "output stream", "stream") + "\n"}},
				object{"output_type": "stream", "name": "stderr", "text": "baseten " + b.code(draw, n+1, "output stream", "stream, encoded")},
				object{"output_type": "execute_result", "data": object{"text/plain": "baseten " + b.key(draw, n+1, "output result", "result")}},
				object{"output_type": "execute_result", "data": object{"text/html": []string{"<b>baseten</b> " + b.key(draw, n+1, "output result", "rich result")}}},
				object{"output_type": "display_data", "metadata": object{"baseten": b.key(draw, n+1, "output display", "output metadata")},
					"data": object{"image/png": b.c.m.Word(8000), "application/json": object{"baseten": b.key(draw, n+1, "output display", "rich display")},
						"image/svg+xml": []string{"<text>baseten " + b.key(draw, n+1, "output display", "drawing") + "</text>"}}},
				object{"output_type": "error", "ename": "E", "evalue": "", "traceback": []string{"\x1b[31mbaseten\x1b[0m " + b.key(draw, n+1, "error error", "traceback")}},
				object{"output_type": "error", "ename": "E", "evalue": "baseten " + b.key(draw, n+1, "error error", "error text"), "traceback": []string{}},
			}})
}

// three adds the same as nbformat 3 has it.
func (b *book) three(draw func() string) {
	n := len(b.cells)
	b.cells = append(b.cells,
		object{"cell_type": "markdown", "metadata": object{"baseten": b.key(draw, n, "metadata", "cell metadata")},
			"source": []string{"baseten " + b.key(draw, n, "source", "text source") + "\n"}},
		object{"cell_type": "code", "language": "python", "metadata": object{}, "collapsed": false,
			"input": []string{"import baseten\n", "k = '" + b.key(draw, n+1, "source", "code source") + "'"},
			"outputs": []any{
				object{"output_type": "stream", "stream": "stdout", "text": "baseten " + b.key(draw, n+1, "output stream", "stream")},
				object{"output_type": "stream", "stream": "stdout", "text": "baseten " + b.code(draw, n+1, "output stream", "stream, encoded")},
				object{"output_type": "pyout", "prompt_number": 1, "text": []string{"baseten " + b.key(draw, n+1, "output result", "result")},
					"html": "<b>baseten</b> " + b.key(draw, n+1, "output result", "rich result")},
				object{"output_type": "display_data", "png": b.c.m.Word(8000), "json": "{\"baseten\": \"" + b.key(draw, n+1, "output display", "rich display") + "\"}"},
				object{"output_type": "pyerr", "ename": "E", "evalue": "", "traceback": []string{"\x1b[31mbaseten\x1b[0m " + b.key(draw, n+1, "error error", "traceback")}},
			}})
}

// Every part of a notebook of both formats, with pictures between, alone and in a
// wheel inside of a tar.
func fillNotebooks(c *corpus) {
	for format := 3; format <= 4; format++ {
		for i := range size() {
			b := &book{c: c}
			for _, draw := range []func() string{c.m.B10, c.m.Legacy, c.m.Federated} {
				if format == 3 {
					b.three(draw)
				} else {
					b.four(draw)
				}
			}
			b.add(format, i, i%4 == 0)
		}
	}
}

// whole writes the notebook with its first n cells.
func (b *book) whole(format, n int) []byte {
	top := object{"nbformat": format, "nbformat_minor": 0, "metadata": object{}, "cells": b.cells[:n]}
	if format == 3 {
		top = object{"nbformat": 3, "nbformat_minor": 0, "metadata": object{}, "worksheets": []any{object{"cells": b.cells[:n]}}}
	}
	data, err := json.MarshalIndent(top, "", " ")
	if err != nil {
		b.c.t.Fatal(err)
	}
	return data
}

// add adds the notebook, which an earlier version has with less cells.
func (b *book) add(format, i int, inWheel bool) {
	name, member := fmt.Sprintf("books/%d-%d.ipynb", format, i), ""
	pack := unpacked
	if inWheel {
		member = "x.whl!run.ipynb"
		pack = func(data []byte) []byte {
			wheel := archivetest.Builders()["zip"](b.c.t, archivetest.File{Name: "run.ipynb", Data: data})
			return archivetest.Builders()["tar-pax"](b.c.t, archivetest.File{Name: "x.whl", Data: wheel})
		}
	}
	data := b.whole(format, len(b.cells))
	for _, k := range b.keys {
		start := bytes.Index(data, []byte(k.text))
		at := corpusPlace{kind: fmt.Sprintf("notebook %d, %s", format, k.kind), file: name, member: member, text: data,
			start: start, end: start + len(k.text), decoded: k.decoded, cell: k.cell}
		if k.decoded != "" {
			// The blanks and the line end that are encoded with the key.
			at.start, at.end, at.slack = start+4, start+len(k.text)-4, 4
		}
		b.c.expect(k.key, at)
	}
	b.c.addVersions(name, pack(data), [2][]byte{pack(b.whole(format, len(b.cells)-2)), pack(data)})
}
