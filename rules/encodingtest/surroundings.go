package encodingtest

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/b10lint/b10lint/internal/fakekey"
)

// A Surrounding is a way in which data keeps a string, with the lengths, opcodes and
// neighbours that touch it.
type Surrounding struct {
	Name string
	// Alone says that a key of the legacy format is not told from what touches it.
	Alone bool
	// First says that one is told so at the beginning of data only.
	First bool
	Write func(m *fakekey.Maker, s string) []byte
}

// Surroundings returns the ways in which texts and serialisations keep a string as it is.
func Surroundings() []Surrounding {
	little, big := binary.LittleEndian, binary.BigEndian
	text := func(format string) func(*fakekey.Maker, string) []byte {
		return func(_ *fakekey.Maker, s string) []byte { return []byte(fmt.Sprintf(format, s)) }
	}
	counted := func(before string, width int, order binary.ByteOrder, after string) func(*fakekey.Maker, string) []byte {
		return func(_ *fakekey.Maker, s string) []byte {
			var n [8]byte
			order.PutUint64(n[:], uint64(len(s)))
			length := n[:width]
			if order == big {
				length = n[8-width:]
			}
			return []byte(before + string(length) + s + after)
		}
	}
	varint := func(n int) string { return string(binary.AppendUvarint(nil, uint64(n))) }
	zigzag := func(n int) string { return string(binary.AppendVarint(nil, int64(n))) }
	return []Surrounding{
		{"a line of text", false, false, text("key: %s\n")},
		{"a default in a shell", false, false, text("export KEY=${BASETEN_API_KEY:-%s}\n")},
		{"a line that a diff adds", false, false, text("@@ -1 +1 @@\n+%s\n")},
		{"a line that a diff removes", false, false, text("@@ -1 +1 @@\n-%s\n")},
		{"a list item", false, false, text("keys:\n  -%s\n")},
		{"Markdown emphasis", false, false, text("the key _%s_ is\n")},
		{"an arrow", false, false, text("new <-%s-> old\n")},
		{"a dashed heading", false, false, text("-----%s-----\n")},
		{"a file's name", true, false, text("keys/%s.json\n")},
		{"a part of a name", true, false, text("baseten-%s_backup\n")},
		{"a number before it", true, false, text("id=42%s\n")},
		{"pickle, protocol 2", false, true, counted("\x80\x02}q\x00X", 4, little, "q\x01X\x01\x00\x00\x00aq\x02u.")},
		{"pickle, protocol 2, after 256 strings", false, true, counted("\x80\x02X", 4, little, "r\x01\x01\x00\x00u.")},
		{"pickle, protocol 4", false, false, counted("\x80\x04\x95\x40\x00\x00\x00\x00\x00\x00\x00}\x94\x8c", 1, little, "\x94s.")},
		{"Python marshal", false, false, counted("\xe3\x00\x00\x00\x00\xda", 1, little, "\xda\x01k)\x02")},
		{"Protocol Buffers", false, false, func(_ *fakekey.Maker, s string) []byte {
			return []byte("\x08\x96\x01\x12" + varint(len(s)) + s + "\x1a\x03abc\x20\x01")
		}},
		{"MessagePack", false, false, counted("\x82\xa1a\x01\xa7baseten\xd9", 1, little, "\xa1b\xc0")},
		{"CBOR", false, false, counted("\xa1\x67baseten\x78", 1, little, "\xf6\x18\x20")},
		{"a Java class file", false, false, counted("\x0c\x00\x05\x00\x06\x01", 2, big, "\x01\x00\x04main\x07\x00\x02")},
		{"Java serialization", true, false, counted("\xac\xed\x00\x05t", 2, big, "t\x00\x02ab")},
		{"a binary property list", false, false, counted("\x57baseten\x5f\x10", 1, big, "\x08\x0b\x10\x19")},
		{"Avro", false, false, func(_ *fakekey.Maker, s string) []byte {
			return []byte("\x02\x0ebaseten\x02" + zigzag(len(s)) + s + zigzag(3) + "abc\x00")
		}},
		{"BSON", false, false, func(_ *fakekey.Maker, s string) []byte {
			n := little.AppendUint32(nil, uint32(len(s)+1))
			return []byte("\x02baseten\x00" + string(n) + s + "\x00\x10a\x00\x01\x00\x00\x00\x00")
		}},
		{"a SQLite record of one column", false, false, func(_ *fakekey.Maker, s string) []byte {
			return []byte("\x2f\x01\x02" + varintBig(2*len(s)+13) + s + "\x00\x00")
		}},
		{"a SQLite record, a number behind", false, false, func(_ *fakekey.Maker, s string) []byte {
			return []byte("\x31\x02\x04\x00" + varintBig(2*len(s)+13) + "\x01" + s + "\x05\x00\x00")
		}},
		{"a SQLite record, texts about it", true, false, func(m *fakekey.Maker, s string) []byte {
			return []byte("\x40\x03\x05\x00\x1b" + varintBig(2*len(s)+13) + "\x1dbaseten" + s + m.Word(8) + "\x00")
		}},
		{"a tuple of Postgres", false, false, func(_ *fakekey.Maker, s string) []byte {
			return []byte("\x03\x00\x02\x09\x18\x00\x07\x00\x00\x00\x11baseten" + string(rune(2*len(s)+3)) + s + "\x00\x00\x00\x00")
		}},
		{"an answer of MySQL", false, false, counted("\x3a\x00\x00\x05\x07baseten", 1, little, "\x0310x\x07\x00\x00\x06")},
		{"Ruby's Marshal", false, false, func(_ *fakekey.Maker, s string) []byte {
			return []byte("\x04\x08{\x06I\"\x0cbaseten\x06:\x06ETI\"" + string(rune(len(s)+5)) + s + "\x06;\x00T")
		}},
		{"an Erlang term", true, false, counted("\x83h\x02d\x00\x07basetenm", 4, big, "j")},
		{"Thrift", false, false, counted("\x0b\x00\x01", 4, big, "\x0b\x00\x02\x00\x00\x00\x01a\x00")},
		{"R's serialisation", false, false, counted("\x00\x00\x00\x10\x00\x04\x00\x09", 4, big, "\x00\x04\x00\x09\x00\x00\x00\x01a")},
		{"a column of Parquet", false, false, counted("\x15\x04\x15\x00\x4c\x29\x00\x00\x00", 4, little, "\x07\x00\x00\x00baseten")},
		{"FlatBuffers", false, false, counted("\x0c\x00\x00\x00", 4, little, "\x00\x00\x00\x04\x00\x00\x00")},
		{"MQTT", false, false, counted("\x30\x35\x00\x07baseten", 2, big, "\xc0\x00")},
		{"Redis", false, false, func(_ *fakekey.Maker, s string) []byte {
			return []byte(fmt.Sprintf("*2\r\n$7\r\nbaseten\r\n$%d\r\n%s\r\n", len(s), s))
		}},
		{"a string of C", false, false, text("baseten\x00%s\x00%%s\n\x00")},
		{"the strings of a Go program", true, false, func(m *fakekey.Maker, s string) []byte {
			return bytes.Join([][]byte{{0, 0}, []byte("invalid baseten header" + m.Word(40)), []byte(s), []byte("unexpected end of file" + m.Word(40)), {0}}, nil)
		}},
	}
}

// varintBig is a number of SQLite's record format, of two bytes at most.
func varintBig(n int) string {
	if n < 128 {
		return string(rune(n))
	}
	return string([]byte{byte(n>>7) | 0x80, byte(n & 0x7f)})
}
