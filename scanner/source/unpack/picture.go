package unpack

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
	"golang.org/x/image/webp"
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

func isTooLarge(err error) bool { return errors.Is(err, errTooLarge) }

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
			v := luminance(img.At(b.Min.X+x, b.Min.Y+y))
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

// luminance weighs the colours as ITU-R BT.601 does, over white.
func luminance(c color.Color) uint8 {
	r, g, b, a := c.RGBA()
	return uint8(min(255, (299*r+587*g+114*b)/1000>>8+(0xffff-a)>>8))
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
