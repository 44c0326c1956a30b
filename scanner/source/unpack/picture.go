package unpack

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"regexp"
	"strings"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
	"golang.org/x/image/webp"

	"github.com/b10lint/b10lint/internal/keyformat"
)

const (
	maxPictureBytes = 20 << 20
	// maxPixels bounds what is decoded: a screenshot of a 5K screen has 14.7 million.
	maxPixels = 16_000_000
	// scaledPixels bounds what small pictures are enlarged to.
	scaledPixels = 12_000_000
	// A picture smaller than this shows no key that could be read.
	minWidth, minHeight = 60, 8
)

// pictureFormats are those that are decoded, by what they begin with. Of a GIF the
// first frame counts.
var pictureFormats = []struct {
	magic, at8 string
	config     func(io.Reader) (image.Config, error)
	decode     func(io.Reader) (image.Image, error)
}{
	{"\x89PNG\r\n\x1a\n", "", png.DecodeConfig, png.Decode},
	{"\xff\xd8\xff", "", jpeg.DecodeConfig, jpeg.Decode},
	{"GIF8", "", gif.DecodeConfig, gif.Decode},
	{"RIFF", "WEBP", webp.DecodeConfig, webp.Decode},
	{"II*\x00", "", tiff.DecodeConfig, tiff.Decode},
	{"MM\x00*", "", tiff.DecodeConfig, tiff.Decode},
	{"BM", "\x00\x00", bmp.DecodeConfig, bmp.Decode},
}

func pictureFormat(data []byte) int {
	for i, f := range pictureFormats {
		if bytes.HasPrefix(data, []byte(f.magic)) && (f.at8 == "" || len(data) > 12 && bytes.HasPrefix(data[8:], []byte(f.at8))) {
			return i
		}
	}
	return -1
}

// IsPicture reports whether data begins like a picture.
func IsPicture(data []byte) bool { return pictureFormat(data) >= 0 }

var errTooLarge = errors.New("too large")

// prepare decodes a picture and returns it as a PGM file for recognition: grey,
// dark on light, and enlarged where the letters may be small. It is nil for a
// picture too small to show a key.
func prepare(data []byte) (pgm []byte, err error) {
	defer func() {
		if recover() != nil { // a decoder that a hostile file was too much for
			pgm, err = nil, errors.New("the picture is damaged")
		}
	}()
	f := pictureFormats[pictureFormat(data)]
	c, err := f.config(bytes.NewReader(data))
	switch {
	case err != nil:
		return nil, fmt.Errorf("the picture is damaged: %w", err)
	case c.Width < minWidth || c.Height < minHeight:
		return nil, nil
	case c.Width > maxPixels/c.Height:
		return nil, fmt.Errorf("the picture has %d × %d pixels, which is %w", c.Width, c.Height, errTooLarge)
	}
	img, err := f.decode(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("the picture is damaged: %w", err)
	}
	g := grey(img)
	w, h := g.Rect.Dx(), g.Rect.Dy()
	factor := 1
	for factor < 3 && w*h*(factor+1)*(factor+1) <= scaledPixels {
		factor++
	}
	out := fmt.Appendf(make([]byte, 0, w*h*factor*factor+32), "P5 %d %d 255\n", w*factor, h*factor)
	return enlarge(out, g, factor), nil
}

// grey returns the picture in grey on white, inverted if it is dark.
func grey(img image.Image) *image.Gray {
	b := img.Bounds()
	g := image.NewGray(image.Rect(0, 0, b.Dx(), b.Dy()))
	var sum int64
	for y := range b.Dy() {
		for x := range b.Dx() {
			// The colours weigh what they do in ITU-R BT.601, over white.
			red, green, blue, a := img.At(b.Min.X+x, b.Min.Y+y).RGBA()
			v := uint8(min(255, (299*red+587*green+114*blue)/1000>>8+(0xffff-a)>>8))
			g.Pix[y*g.Stride+x] = v
			sum += int64(v)
		}
	}
	if sum < 128*int64(len(g.Pix)) {
		for i := range g.Pix {
			g.Pix[i] = 255 - g.Pix[i]
		}
	}
	return g
}

// enlarge appends the rows of g, factor times as large in both directions, with
// linear interpolation.
func enlarge(out []byte, g *image.Gray, factor int) []byte {
	w, h := g.Rect.Dx(), g.Rect.Dy()
	for y := range h * factor {
		y0, fy := y/factor, y%factor
		a, b := g.Pix[y0*g.Stride:], g.Pix[min(y0+1, h-1)*g.Stride:]
		for x := range w * factor {
			x0, fx := x/factor, x%factor
			x1 := min(x0+1, w-1)
			top := int(a[x0])*(factor-fx) + int(a[x1])*fx
			bottom := int(b[x0])*(factor-fx) + int(b[x1])*fx
			out = append(out, uint8((top*(factor-fy)+bottom*fy)/(factor*factor)))
		}
	}
	return out
}

// maxRecognised is how much text is taken from one picture.
const maxRecognised = 1 << 20

// What a key looks like after it was read off a picture: the digits of b10_ may be
// taken for letters and a slashed zero for @, the underscore is often lost, spaces
// come about the dot, and a terminal breaks the line anywhere.
var (
	blankLines = regexp.MustCompile(`\s*\n\s*`)
	keyHead    = regexp.MustCompile(`(?:^|[^0-9A-Za-z])(?:(b[1lI|!]\n?[0OoQD@]{1,2}\n?[_ ~-]{0,2})\n?((?:[0-9A-Za-z|@]\n?){7,10})|((?:[0-9A-Za-z|@]\n?){8})) ?\n?[.,·•] ?\n?`)
)

const (
	firstLength, secretLength = 8, 32 // of keyformat.B10; keyHead has them too
	// misread is how many characters of a secret half may be lost, or made of
	// nothing, before it is taken for something else.
	misread = 3
)

// mend rewrites what may be keys in recognised text so that they have the form of
// keys: on one line, with prefix and dot, and with as many characters as a key has.
// Which characters those are no one can say for sure: 0 and O, 1, l and I, 5 and S
// look the same. So a mended key shows that there is one and what its prefix is
// like, no more.
func mend(text string) string {
	text = blankLines.ReplaceAllString(strings.NewReplacer("£", "f", "€", "C", "§", "S", "©", "c", "®", "R", "¢", "c", "¥", "Y").Replace(text), "\n")
	var out strings.Builder
	for {
		m := keyHead.FindStringSubmatchIndex(text)
		if m == nil {
			return out.String() + text
		}
		prefix, first := keyformat.B10.Mark, m[4:6]
		start := m[2]
		if start < 0 {
			prefix, first, start = "", m[6:8], m[6]
		}
		half, n := secretHalf(text[m[1]:], prefix != "")
		if half == "" {
			// Another may begin inside of what looked like the head.
			out.WriteString(text[:start+1])
			text = text[start+1:]
			continue
		}
		out.WriteString(text[:start] + prefix + fit(letters(text[first[0]:first[1]]), firstLength) + "." + half)
		text = " " + text[m[1]+n:]
	}
}

// fit gives a word the length it must have. Too many characters come from one that
// was read twice, as two that look alike.
func fit(s string, n int) string {
	for i := 1; i < len(s) && len(s) > n; i++ {
		if look(s[i]) == look(s[i-1]) {
			s = s[:i] + s[i+1:]
			i--
		}
	}
	return (s + strings.Repeat("x", n))[:n]
}

// look is one character for all that look like c.
func look(c byte) byte {
	for _, alike := range []string{"0OoQD", "1lIiLTt", "5Ss", "2Zz", "8B", "9gq"} {
		if strings.IndexByte(alike, c) >= 0 {
			return alike[0]
		}
	}
	return c
}

// secretHalf reads the second half of a key from the beginning of text, over the
// ends of lines and, behind a prefix that is sure, over two spaces. It returns the
// half with the length that it must have, "" if there is none, and how much of text
// it takes.
func secretHalf(text string, sure bool) (half string, n int) {
	spaces, breaks := 0, 0
	if sure {
		spaces = 2
	}
	i := 0
	var b strings.Builder
read:
	for ; i < len(text) && b.Len() <= secretLength+misread; i++ {
		c := text[i]
		switch {
		case c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z' || c == '|' || c == '@':
			b.WriteByte(c)
		case c == '\n' && breaks < 3 && b.Len() < secretLength:
			breaks++
		case c == ' ' && spaces > 0 && b.Len() > 0 && b.Len() < secretLength-1:
			spaces--
		default:
			break read
		}
	}
	half = letters(b.String())
	if len(half) < secretLength-misread || len(half) > secretLength+misread {
		return "", 0
	}
	return fit(half, secretLength), i
}

// letters takes the ends of lines out, and what is not a letter or digit for what it looks like.
func letters(s string) string { return strings.NewReplacer("\n", "", "|", "l", "@", "0").Replace(s) }
