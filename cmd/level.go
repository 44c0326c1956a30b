package cmd

import "encoding"

// A level is a flag whose value is one of finding's ordered words.
type level[T any, P interface {
	*T
	encoding.TextUnmarshaler
	encoding.TextMarshaler
}] struct{ value T }

func (l *level[T, P]) Set(s string) error { return P(&l.value).UnmarshalText([]byte(s)) }
func (l *level[T, P]) Type() string       { return "LEVEL" }
func (l *level[T, P]) String() string {
	text, _ := P(&l.value).MarshalText()
	return string(text)
}
