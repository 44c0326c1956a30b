package encodingtest

import (
	"bytes"
	"fmt"
	"strings"
)

// A Dump is a way to write bytes as numbers.
type Dump struct {
	Name  string
	Write func(data []byte) string
}

// Dumps returns the ways in which programs print bytes as numbers, and in which source code
// has them.
func Dumps() []Dump {
	rows := func(offset string, width, group int, number func(b []byte) string, between, text string) func([]byte) string {
		return func(data []byte) string { return writeRows(data, offset, width, group, number, between, text) }
	}
	list := func(before, number, between, after string, perLine int, indent string) func([]byte) string {
		return func(data []byte) string {
			var b strings.Builder
			b.WriteString(before)
			for i, c := range data {
				if i > 0 {
					b.WriteString(between)
				}
				if perLine > 0 && i%perLine == 0 {
					b.WriteString("\n" + indent)
				}
				fmt.Fprintf(&b, number, c)
			}
			return b.String() + after
		}
	}
	hex := func(b []byte) string { return fmt.Sprintf("%x", b) }
	turned := func(b []byte) string { // a number of the processor, the first byte last
		out := ""
		for i := len(b) - 1; i >= 0; i-- {
			out += fmt.Sprintf("%02x", b[i])
		}
		return out
	}
	each := func(format string) func(b []byte) string {
		return func(b []byte) string { return fmt.Sprintf(format, b[0]) }
	}
	return []Dump{
		{"xxd", rows("%08x: ", 16, 2, hex, " ", "  %s")},
		{"xxd -u -c 32", rows("%08x: ", 32, 2, func(b []byte) string { return fmt.Sprintf("%X", b) }, " ", "  %s")},
		{"xxd -g 1", rows("%08x: ", 16, 1, hex, " ", "  %s")},
		{"xxd -g 4", rows("%08x: ", 16, 4, hex, " ", "  %s")},
		{"xxd -g 8", rows("%08x: ", 16, 8, hex, " ", "  %s")},
		{"xxd -e", rows("%08x: ", 16, 4, turned, " ", "  %s")},
		{"hexdump -C", rows("%08x  ", 16, 1, hex, " ", "  |%s|")},
		{"hexdump", rows("%07o ", 16, 2, turned, " ", "")},
		{"od -t x1", rows("%07o ", 16, 1, hex, " ", "")},
		{"od -t x1z", rows("%07o ", 16, 1, hex, " ", "  >%s<")},
		{"od -A n -t x1", rows("", 16, 1, hex, " ", "")},
		{"od -b", rows("%07o ", 16, 1, each("%03o"), " ", "")},
		{"od -t u1", rows("%07o ", 16, 1, each("%3d"), " ", "")},
		{"od", rows("%07o ", 16, 2, func(b []byte) string { return fmt.Sprintf("%06o", int(b[0])|int(b[1])<<8) }, " ", "")},
		{"od -t x4", rows("%07o ", 16, 4, turned, " ", "")},
		{"od -t x8", rows("%07o ", 16, 8, turned, " ", "")},
		{"curl --trace", rows("%04x: ", 16, 1, hex, " ", " %s")},
		{"tcpdump -X", rows("\t0x%04x:  ", 16, 2, hex, " ", "  %s")},
		{"Wireshark", rows("%04x   ", 16, 1, hex, " ", "   %s")},
		{"Format-Hex", rows("%08X   ", 16, 1, func(b []byte) string { return fmt.Sprintf("%X", b) }, " ", "  %s")},
		{"gdb x/8xb", rows("0x7ffd8e%04x:\t", 8, 1, each("0x%02x"), "\t", "")},
		{"gdb x/4xw", rows("0x7ffd8e%04x:\t", 16, 4, func(b []byte) string { return "0x" + turned(b) }, "\t", "")},
		{"bytes with blanks", list("", "%02x", " ", "", 0, "")},
		{"bytes with colons", list("", "%02x", ":", "", 0, "")},
		{"openssl asn1parse", list("", "%02x", ":", "", 15, "    ")},
		{"a registry file", list("\"Key\"=hex:", "%02x", ",", "", 25, "  ")},
		{"an array of C", list("unsigned char key[] = {", "0x%02x", ", ", "\n};", 12, "  ")},
		{"an array of C with comments", list("const uint8_t key[45] = {", "0x%02x", ",", " };", 8, "  /* key */ ")},
		{"a slice of Go", list("key := []byte{", "0x%02x", ", ", "}", 0, "")},
		{"a slice of Go in decimal", list("key := []byte{", "%d", ", ", "}", 0, "")},
		{"bytes of Python", list("key = bytes([", "%d", ", ", "])", 0, "")},
		{"bytearray of Python", list("key = bytearray((", "0x%02X", ",", "))", 0, "")},
		{"Uint8Array", list("const key = new Uint8Array([", "%d", ",", "]);", 0, "")},
		{"Buffer as JSON", list("{\"type\":\"Buffer\",\"data\":[", "%d", ",", "]}", 0, "")},
		{"Buffer as Node prints it", list("<Buffer ", "%02x", " ", ">", 0, "")},
		{"Uint8Array as Node prints it", list("Uint8Array(45) [", "%3d", ", ", "\n]", 12, "  ")},
		{"fromCharCode", list("String.fromCharCode(", "%d", ",", ")", 0, "")},
		{"an array of Java", list("byte[] key = {", "%d", ", ", "};", 0, "")},
		{"an array of Rust", list("let key: [u8; 45] = [", "%d", ", ", "];", 0, "")},
		{"an array of Rust with types", list("let key = [", "%du8", ", ", "];", 0, "")},
		{"an array of C#", list("byte[] key = { ", "0x%02X", ", ", " };", 0, "")},
		{".byte", list("\t.byte ", "0x%02x", ",", "", 0, "")},
		{"Erlang", list("Key = <<", "%d", ",", ">>.", 0, "")},
	}
}

// writeRows writes rows with an offset, numbers of groups of bytes, and their text.
func writeRows(data []byte, offset string, width, group int, number func(b []byte) string, between, text string) string {
	var b strings.Builder
	full := len(number(make([]byte, group)))*(width/group) + (width/group-1)*len(between)
	for at := 0; at < len(data); at += width {
		row := data[at:min(len(data), at+width)]
		if offset != "" {
			fmt.Fprintf(&b, offset, at)
		}
		line := ""
		for i := 0; i < len(row); i += group {
			if i > 0 {
				line += between
			}
			g := row[i:min(len(row), i+group)]
			if len(g) < group && offset == "%07o " { // od and hexdump fill the last number
				g = append(bytes.Clone(g), make([]byte, group-len(g))...)
			}
			line += number(g)
		}
		if text != "" {
			plain := bytes.Map(func(r rune) rune {
				if r < ' ' || r > '~' {
					return '.'
				}
				return r
			}, row)
			line = fmt.Sprintf("%-*s", full, line) + fmt.Sprintf(text, plain)
		}
		b.WriteString(line + "\n")
	}
	return b.String()
}
