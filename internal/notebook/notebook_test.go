package notebook

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// v4 has a marker, <<name>>, in every part; the expectations go by the marker.
const v4 = `{
 "cells": [
  {"cell_type": "markdown", "id": "<<id0>>", "metadata": {"tags": ["<<meta0>>"]},
   "attachments": {"shot.png": {"image/png": "<<png0>>AAAA"}, "n.txt": {"text/plain": "<<att0>>"}},
   "source": ["# <<src0>>\n", "quote \" and slash \\"]},
  {"cell_type": "code", "execution_count": 3, "metadata": {}, "source": "print('<<src1>>')",
   "outputs": [
    {"name": "stdout", "output_type": "stream", "text": ["<<stream1>>\n"]},
    {"data": {"image/png": "<<png1>>", "image/svg+xml": ["<<svg1>>"], "text/html": ["<b>", "<<html1>>"],
      "application/json": {"a": ["<<json1>>", {"b": "}]"}]}}, "metadata": {"m": "<<outmeta1>>"}, "output_type": "display_data"},
    {"data": {"text/plain": "<<plain1>>"}, "execution_count": 3, "metadata": {}, "output_type": "execute_result"},
    {"ename": "KeyError", "evalue": "<<evalue1>>", "output_type": "error", "traceback": ["<<trace1>>"]}
   ]}
 ],
 "metadata": {"kernelspec": {"name": "<<kernel>>"}},
 "nbformat": 4, "nbformat_minor": 5
}`

const v3 = `{"metadata": {"name": "<<name>>"}, "nbformat": 3, "nbformat_minor": 0, "worksheets": [{"cells": [
  {"cell_type": "code", "collapsed": false, "input": ["<<src0>>"], "language": "python", "metadata": {}, "outputs": [
    {"output_type": "pyout", "prompt_number": 1, "png": "<<png0>>", "text": ["<<text0>>"], "html": "<<html0>>"},
    {"output_type": "pyerr", "ename": "X", "evalue": "<<evalue0>>", "traceback": ["<<trace0>>"]},
    {"output_type": "stream", "stream": "stdout", "text": "<<stream0>>"}]},
  {"cell_type": "heading", "level": 1, "metadata": {}, "source": "<<src1>>"}], "metadata": {"x": "<<sheet>>"}}]}`

var expect = map[string]map[string]string{
	v4: {
		"id0": "0 metadata", "meta0": "0 metadata", "png0": "0 attachment", "att0": "0 attachment",
		"src0": "0 source", "src1": "1 source", "stream1": "1 output stream", "png1": "1 output display",
		"svg1": "1 output display", "html1": "1 output display",
		"json1": "1 output display", "outmeta1": "1 output display",
		"plain1": "1 output result", "evalue1": "1 error error", "trace1": "1 error error", "kernel": "none",
	},
	v3: {
		"name": "none", "src0": "0 source", "png0": "0 output result", "text0": "0 output result",
		"html0": "0 output result", "evalue0": "0 error error", "trace0": "0 error error",
		"stream0": "0 output stream", "src1": "1 source", "sheet": "none",
	},
}

func place(nb *Notebook, offset int) string {
	p, ok := nb.At(offset)
	if !ok {
		return "none"
	}
	return strings.Join(strings.Fields(fmt.Sprint(p.Cell, " ", p.Part, " ", p.Kind)), " ")
}

func TestAt(t *testing.T) {
	for doc, want := range expect {
		for _, data := range [][]byte{[]byte(doc), []byte("\xef\xbb\xbf" + doc), compact(t, doc), sorted(t, doc)} {
			nb, err := Parse(data)
			if err != nil {
				t.Fatal(err)
			}
			if nb.Cells != 2 {
				t.Errorf("%d cells", nb.Cells)
			}
			if !LooksLike(data) {
				t.Error("does not look like a notebook")
			}
			for name, want := range want {
				at := bytes.Index(data, []byte("<<"+name+">>"))
				if at < 0 {
					t.Fatalf("%s is missing from the test's own data", name)
				}
				if got := place(nb, at); got != want {
					t.Errorf("%s: got %q, want %q", name, got, want)
				}
			}
		}
	}
}

// compact and sorted write the same notebook in other ways.
func compact(t *testing.T, doc string) []byte {
	var b bytes.Buffer
	if err := json.Compact(&b, []byte(doc)); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func sorted(t *testing.T, doc string) []byte {
	var v any
	if err := json.Unmarshal([]byte(doc), &v); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "\t")
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestSkip(t *testing.T) {
	for doc, want := range map[string][]string{v4: {"<<png0>>AAAA", "<<png1>>"}, v3: {"<<png0>>"}} {
		nb, _ := Parse([]byte(doc))
		var got []string
		for _, s := range nb.Skip() {
			got = append(got, strings.Trim(doc[s.Start:s.End], `"`))
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("got %v, want %v", got, want)
		}
	}
}

// A notebook that is cut anywhere keeps the places before the cut.
func TestTruncated(t *testing.T) {
	for doc, want := range expect {
		for cut := range len(doc) {
			data := []byte(doc[:cut])
			nb, err := Parse(data)
			if err == nil {
				t.Fatalf("cut at %d: no error", cut)
			}
			for name, want := range want {
				at := bytes.Index(data, []byte("<<"+name+">>"))
				if at < 0 || strings.HasPrefix(want, "none") {
					continue
				}
				// What an output is may stand behind the cut; the cell does not.
				if got := place(nb, at); got[0] != want[0] {
					t.Fatalf("cut at %d, %s: got %q, want %q", cut, name, got, want)
				}
			}
		}
	}
}

func TestInvalid(t *testing.T) {
	for _, doc := range []string{
		``, `[]`, `{`, `{"cells"`, `{"cells":`, `{"cells":[}`, `{"cells":[{"source" "x"}]}`, `{"cells": [:]}`,
		`{"cells":[{"outputs":[{"data":{"image/png":]}]}]}`, `{"cells":[{"source":"x\`, `{"a":` + strings.Repeat("[", maxNesting+2),
	} {
		if _, err := Parse([]byte(doc)); err == nil {
			t.Errorf("%.40q: no error", doc)
		}
	}
	// What is of the wrong type is passed over.
	for _, doc := range []string{`{"cells":{}}`, `{"cells":[1,"x",[]]}`, `{"cells":[{"outputs":{"a":1},"attachments":[]}]}`, `{"cells":[{"outputs":[3,{"data":7}]}]}`} {
		if _, err := Parse([]byte(doc)); err != nil {
			t.Errorf("%s: %v", doc, err)
		}
	}
}

func TestLooksLikeOther(t *testing.T) {
	for _, doc := range []string{``, `x`, `{"a":1}`, `{"cells":[]}`, `[{"cell_type":"code"}]`, `{"metadata":{}}`} {
		if LooksLike([]byte(doc)) {
			t.Errorf("%q looks like a notebook", doc)
		}
	}
}

// big makes a notebook of at least n bytes, mostly pictures.
func big(n int) []byte {
	var b bytes.Buffer
	b.WriteString(`{"cells": [`)
	picture := strings.Repeat("iVBORw0KGgoAAAANSUhEUgAA\\n", 40_000)
	for i := 0; b.Len() < n; i++ {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(`{"cell_type": "code", "metadata": {}, "source": ["import os\n", "print(\"x\")"], "outputs": [{"data": {"image/png": "`)
		b.WriteString(picture)
		b.WriteString(`", "text/plain": ["<Figure size 640x480 with 1 Axes>"]}, "metadata": {}, "output_type": "display_data"}]}`)
	}
	b.WriteString(`], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}`)
	return b.Bytes()
}

func TestBigAllocatesLittle(t *testing.T) {
	data := big(50 << 20)
	got := testing.AllocsPerRun(1, func() {
		if _, err := Parse(data); err != nil {
			t.Fatal(err)
		}
	})
	if got > 2000 {
		t.Errorf("%v allocations", got)
	}
}

func BenchmarkParsePictures(b *testing.B) { benchmark(b, big(50<<20)) }

// BenchmarkParseText is the slow end: short lines of source and output.
func BenchmarkParseText(b *testing.B) {
	cell := strings.TrimSuffix(strings.SplitN(v4, "\"cells\": [", 2)[1], "")
	cell = strings.SplitN(cell, "\n ],", 2)[0]
	benchmark(b, []byte(`{"cells": [`+strings.Repeat(cell+",", 10_000)+cell+`],"nbformat":4}`))
}

func benchmark(b *testing.B, data []byte) {
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(data); err != nil {
			b.Fatal(err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(v4))                                        // every part of nbformat 4
	f.Add([]byte(v3))                                        // every part of nbformat 3
	f.Add([]byte(v4[:len(v4)/2]))                            // cut off
	f.Add([]byte(`{"cells":[{"source":"\\\"`))               // an escape at the end
	f.Add([]byte(`{"cells":[{"outputs":[{"data":{"a":[[[[`)) // nothing closed
	f.Fuzz(func(t *testing.T, data []byte) {
		nb, err := Parse(data)
		if err == nil && !json.Valid(data) {
			t.Skip("lenient") // only what json accepts must be understood
		}
		if err != nil && json.Valid(data) && len(bytes.TrimSpace(data)) > 0 && bytes.TrimSpace(data)[0] == '{' {
			t.Errorf("valid JSON: %v", err)
		}
		end := 0
		for _, p := range nb.pieces {
			if p.Start < end || p.End <= p.Start || p.End > len(data) {
				t.Fatalf("piece %+v behind %d of %d", p, end, len(data))
			}
			end = p.End
		}
		for _, s := range nb.Skip() {
			if s.Start < 0 || s.End > len(data) || s.Start > s.End {
				t.Fatalf("picture %+v", s)
			}
		}
	})
}
