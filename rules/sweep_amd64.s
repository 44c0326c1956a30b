#include "go_asm.h"
#include "textflag.h"

// The sweeps differ in how they make the masks of a block of 64 bytes, a bit for
// each byte, and share what follows from them. In all:
//
//	SI data, AX offset of the block, BX where to stop, DI the next free record,
//	R14 the record after the last, R10 0x0001000100010001,
//	R11 R12 R13 the carries of the three sums. CX DX R8 R9 are free.

// SHAPES: CX letters and digits, DX the bytes after a dot, R9 those 33 after one.
// A sum carries a bit from behind a dot to the end of its word; one of 32 ends where
// R9 has a bit. Leaves such ends in R8.
#define SHAPES \
	ADDB  $-1, R11      \
	ADCQ  CX, DX        \
	SETCS R11           \
	ANDNQ DX, CX, R8    \
	ANDQ  R9, R8

// ESCAPES: CX dense bytes, DX those that mark an escape. Leaves in R9 the ends of
// runs that hold an escape and fill one of the block's four lanes of 16 bytes: the
// second sum carries from the full lanes.
#define ESCAPES \
	LEAQ  (CX)(R10*1), R9 \
	ANDNQ CX, R9, R9    \
	ANDQ  lanes<>(SB), R9 \
	ADDB  $-1, R12      \
	ADCQ  CX, DX        \
	SETCS R12           \
	ADDB  $-1, R13      \
	ADCQ  CX, R9        \
	SETCS R13           \
	ANDQ  DX, R9        \
	ANDNQ R9, CX, R9

// WIDE: CX dense bytes, DX zero bytes. Leaves in CX where eight dense bytes begin
// that each have a zero byte after them.
#define WIDE \
	SHRQ $1, DX         \
	ANDQ DX, CX         \
	MOVQ CX, DX         \
	SHRQ $2, DX         \
	ANDQ DX, CX         \
	MOVQ CX, DX         \
	SHRQ $4, DX         \
	ANDQ DX, CX         \
	MOVQ CX, DX         \
	SHRQ $8, DX         \
	ANDQ DX, CX

// WIDE4: the same for eight that each have three.
#define WIDE4 \
	SHRQ $1, DX         \
	ANDQ DX, CX         \
	SHRQ $1, DX         \
	ANDQ DX, CX         \
	SHRQ $1, DX         \
	ANDQ DX, CX         \
	MOVQ CX, DX         \
	SHRQ $4, DX         \
	ANDQ DX, CX         \
	MOVQ CX, DX         \
	SHRQ $8, DX         \
	ANDQ DX, CX         \
	MOVQ CX, DX         \
	SHRQ $16, DX        \
	ANDQ DX, CX

DATA lanes<>+0(SB)/8, $0x8000800080008000
GLOBL lanes<>(SB), RODATA, $8

// BEGIN and END fetch and store what all keep in registers.
#define BEGIN \
	MOVQ data+0(FP), SI \
	MOVQ from+8(FP), AX \
	MOVQ to+16(FP), BX \
	MOVQ c+24(FP), CX \
	MOVQ out+32(FP), DI \
	MOVQ $0x0001000100010001, R10 \
	LEAQ (const_maxRecords*record__size)(DI), R14 \
	MOVBQZX carries_shape(CX), R11 \
	MOVBQZX carries_escape(CX), R12 \
	MOVBQZX carries_lane(CX), R13 \
	MOVBQZX carries_digits(CX), R15

#define END \
	MOVQ c+24(FP), CX \
	MOVB R11, carries_shape(CX) \
	MOVB R12, carries_escape(CX) \
	MOVB R13, carries_lane(CX) \
	MOVQ AX, at+40(FP) \
	SUBQ out+32(FP), DI \
	MOVQ DI, size+48(FP) \
	VZEROUPPER \
	RET

// RECORD writes a record of a block that shows something: R8 and R9 as SHAPES and
// ESCAPES leave them, the rest is written.
#define RECORD \
	MOVQ AX, record_at(DI) \
	MOVQ R8, record_shapes(DI) \
	MOVQ R9, record_escapes(DI) \
	ADDQ $record__size, DI \
	ADDQ $64, AX \
	CMPQ DI, R14

// NOTHING writes that nothing rare was seen.
#define NOTHING \
	XORQ CX, CX \
	MOVQ CX, record_rows(DI) \
	MOVQ CX, record_marks(DI) \
	MOVQ CX, record_wide(DI) \
	MOVQ CX, record_digits(DI)

// func sweepAVX512(data *byte, from, to int, c *carries, out *[maxRecords]record) (at, size int)
TEXT ·sweepAVX512(SB), NOSPLIT, $0-56
	BEGIN
	LEAQ ·tables512(SB), DX
	VMOVDQU64 0(DX), Z16
	VMOVDQU64 64(DX), Z17
	VPBROADCASTB 128(DX), Z18 // word
	VPBROADCASTB 129(DX), Z19 // dense
	VPBROADCASTB 130(DX), Z20 // escape
	VPBROADCASTB 131(DX), Z21 // no strict digit of base64
	VPBROADCASTB 132(DX), Z22 // nor of hexadecimal
	VPBROADCASTB 133(DX), Z23 // no first byte of a mark
	VPBROADCASTB 134(DX), Z24 // '.'
	VPBROADCASTB 135(DX), Z25 // '_', the last byte of a mark
	VPBROADCASTB 136(DX), Z28 // '0'
	VPBROADCASTB 137(DX), Z29 // 0x7F, which is nothing, as all beyond ASCII
	VPBROADCASTB 138(DX), Z30 // decimal digit

	// The rows go on from the block before.
	VPMINUB -64(SI)(AX*1), Z29, Z26
	VPERMI2B Z17, Z16, Z26
	VALIGND $15, Z26, Z26, Z27
	VPORQ   Z26, Z27, Z27

loop:
	CMPQ AX, BX
	JGE  done
	VMOVDQU64 (SI)(AX*1), Z0
	VPMINUB Z0, Z29, Z1
	VPERMI2B Z17, Z16, Z1 // the kinds
	VMOVDQU64 -1(SI)(AX*1), Z5

	VPTESTMB Z18, Z1, K2
	VPCMPEQB Z5, Z24, K3
	VPCMPEQB -33(SI)(AX*1), Z24, K4
	KMOVQ K2, CX
	KMOVQ K3, DX
	KMOVQ K4, R9
	SHAPES

	VPTESTMB Z19, Z1, K2
	VPTESTMB Z20, Z1, K3
	KMOVQ K2, CX
	KMOVQ K3, DX
	ESCAPES

	// What is rare shows as a zero byte. Six strict digits at a distance of four, the
	// three bytes before the last no blanks, quotes or the like.
	VALIGND $15, Z26, Z1, Z2
	VPORQ   Z2, Z1, Z2
	VALIGND $14, Z27, Z2, Z3
	VALIGND $12, Z27, Z2, Z4
	VPTERNLOGQ $0xFE, Z2, Z3, Z4
	VMOVDQA64 Z1, Z26
	VMOVDQA64 Z2, Z27
	VPMINUB -2(SI)(AX*1), Z5, Z5
	VPMINUB -3(SI)(AX*1), Z5, Z5
	VPSUBUSB Z5, Z28, Z5
	VMOVDQA64 Z5, Z6
	VPTERNLOGQ $0xF8, Z21, Z4, Z5
	VPTERNLOGQ $0xF8, Z22, Z4, Z6
	// The first and the last byte of a mark.
	VPANDQ  Z23, Z1, Z2
	VMOVDQU64 3(SI)(AX*1), Z7
	VPTERNLOGQ $0xBE, Z2, Z25, Z7
	// And zero bytes.
	VPMINUB Z5, Z6, Z2
	VPMINUB Z0, Z7, Z3
	VPMINUB Z2, Z3, Z2
	VPTESTNMB Z2, Z2, K2
	KORTESTQ K2, K2
	JNE  rare
	VPTESTMB Z30, Z1, K2
	KMOVQ K2, DX
	POPCNTQ DX, DX
	CMPQ DX, R15
	JGE  rare
	MOVQ R8, DX
	ORQ  R9, DX
	JNE  plain
next:
	ADDQ $64, AX
	JMP  loop

plain:
	NOTHING
	JMP  write

rare:
	VPTESTNMB Z0, Z0, K3
	KMOVQ K3, DX
	WIDE
	MOVQ CX, record_wide(DI)
	VPTESTMB Z19, Z1, K2
	KMOVQ K2, CX
	KMOVQ K3, DX
	WIDE4
	ORQ  CX, record_wide(DI)
	VPTESTNMB Z7, Z7, K4
	KMOVQ K4, DX
	MOVQ DX, record_marks(DI)
	// Digits of hexadecimal come in twos.
	VPTESTNMB Z6, Z6, K5
	KMOVQ K5, DX
	LEAQ (DX*4), CX
	ANDQ CX, DX
	VPTESTNMB Z5, Z5, K6
	KMOVQ K6, CX
	ORQ  CX, DX
	MOVQ DX, record_rows(DI)
	VPTESTMB Z30, Z1, K2
	KMOVQ K2, CX
	POPCNTQ CX, CX
	MOVQ CX, record_digits(DI)
	CMPQ CX, R15
	JGE  write
	ORQ  record_wide(DI), DX
	ORQ  record_marks(DI), DX
	ORQ  R8, DX
	ORQ  R9, DX
	JEQ  next
write:
	RECORD
	JNE  loop

done:
	END

// A byte of a table of 32.
#define AT(row) ·tables256+(row*32)(SB)

// KINDS leaves the two bytes of kinds of the 32 bytes x in a and b: by the low nibble and
// by the high one, the method of Langdale and Mula. Bytes beyond ASCII have none.
#define KINDS(x, a, b) \
	VPSRLW  $4, x, Y15     \
	VPAND   AT(4), Y15, Y15 \
	VMOVDQU AT(0), a       \
	VMOVDQU AT(1), Y14     \
	VPSHUFB x, a, a        \
	VPSHUFB Y15, Y14, Y14  \
	VPAND   Y14, a, a      \
	VMOVDQU AT(2), b       \
	VMOVDQU AT(3), Y14     \
	VPSHUFB x, b, b        \
	VPSHUFB Y15, Y14, Y14  \
	VPAND   Y14, b, b

// HAVE leaves in r a bit for each byte of lo and hi that is not zero. Y13 is zero.
#define HAVE(lo, hi, r) \
	VPCMPEQB  Y13, lo, lo \
	VPCMPEQB  Y13, hi, hi \
	VPMOVMSKB lo, R15     \
	VPMOVMSKB hi, r       \
	SHLQ      $32, r      \
	ORQ       R15, r      \
	NOTQ      r

// DOTS leaves in r the bytes that stand distance after a dot.
#define DOTS(distance, r) \
	VPCMPEQB  -distance(SI)(AX*1), Y12, Y14   \
	VPCMPEQB  (32-distance)(SI)(AX*1), Y12, Y15 \
	VPMOVMSKB Y14, R15    \
	VPMOVMSKB Y15, r      \
	SHLQ      $32, r      \
	ORQ       R15, r

// NONE leaves in n, from the second kinds b, bit 0 where no strict digit of base64 is,
// bit 1 where none of hexadecimal is.
#define NONE(b, n) \
	VPAND    AT(8), b, n    \
	VPCMPEQB Y13, n, n      \
	VPAND    AT(10), n, n   \
	VPAND    AT(9), b, Y15  \
	VPCMPEQB Y13, Y15, Y15  \
	VPAND    AT(11), Y15, Y15 \
	VPOR     Y15, n, n

// RARE leaves in frame the rows of the 32 bytes at off, and the marks, as zero bytes, and
// gathers in Y6 the least of all. n and b are as above; Y10 and Y11 are NONE of the 32
// bytes before, and of those and four before.
#define RARE(off, x, b, n, frame) \
	VPERM2I128 $0x21, n, Y10, Y14 \
	VMOVDQA  n, Y10           \
	VPALIGNR $12, Y14, n, Y14 \
	VPOR     Y14, n, n        \
	VPERM2I128 $0x21, n, Y11, Y14 \
	VMOVDQA  n, Y11           \
	VPALIGNR $8, Y14, n, Y15  \
	VPOR     Y14, n, n        \
	VPOR     Y15, n, n        \
	VMOVDQU  (off-1)(SI)(AX*1), Y14 \
	VPMINUB  (off-2)(SI)(AX*1), Y14, Y14 \
	VPMINUB  (off-3)(SI)(AX*1), Y14, Y14 \
	VMOVDQU  AT(12), Y15      \
	VPSUBUSB Y14, Y15, Y14    \
	VPAND    AT(10), n, Y15   \
	VPOR     Y14, Y15, Y15    \
	VMOVDQU  Y15, (frame+0)(SP) \
	VPMINUB  Y15, Y6, Y6      \
	VPAND    AT(11), n, Y15   \
	VPOR     Y14, Y15, Y15    \
	VMOVDQU  Y15, (frame+64)(SP) \
	VPMINUB  Y15, Y6, Y6      \
	VPAND    AT(13), b, b     \
	VPCMPEQB Y13, b, b        \
	VMOVDQU  AT(14), Y14      \
	VPXOR    (off+3)(SI)(AX*1), Y14, Y14 \
	VPOR     Y14, b, b        \
	VMOVDQU  b, (frame+128)(SP) \
	VPMINUB  b, Y6, Y6        \
	VPMINUB  x, Y6, Y6

// ZEROS leaves in r the zero bytes of the 64 at frame.
#define ZEROS(frame, r) \
	VPCMPEQB  (frame+0)(SP), Y13, Y14  \
	VPCMPEQB  (frame+32)(SP), Y13, Y15 \
	VPMOVMSKB Y14, R15    \
	VPMOVMSKB Y15, r      \
	SHLQ      $32, r      \
	ORQ       R15, r

// func sweepAVX2(data *byte, from, to int, c *carries, out *[maxRecords]record) (at, size int)
TEXT ·sweepAVX2(SB), NOSPLIT, $224-56
	BEGIN
	MOVQ R15, 200(SP) // how many decimal digits count
	VPXOR   Y13, Y13, Y13
	VMOVDQU AT(15), Y12 // '.'

	// The rows go on from the block before.
	VMOVDQU -32(SI)(AX*1), Y0
	KINDS(Y0, Y2, Y4)
	NONE(Y4, Y10)
	VPERM2I128 $0x08, Y10, Y10, Y14
	VPALIGNR $12, Y14, Y10, Y11
	VPOR    Y10, Y11, Y11

loop:
	CMPQ AX, BX
	JGE  done
	VMOVDQU (SI)(AX*1), Y0
	VMOVDQU 32(SI)(AX*1), Y1
	KINDS(Y0, Y2, Y4)
	KINDS(Y1, Y3, Y5)

	VPAND AT(5), Y2, Y6
	VPAND AT(5), Y3, Y7
	HAVE(Y6, Y7, CX)
	DOTS(1, DX)
	DOTS(33, R9)
	SHAPES

	VPAND AT(6), Y2, Y6
	VPAND AT(6), Y3, Y7
	HAVE(Y6, Y7, DX)
	VPAND AT(7), Y4, Y6
	VPAND AT(7), Y5, Y7
	VPOR  Y2, Y6, Y6
	VPOR  Y3, Y7, Y7
	HAVE(Y6, Y7, CX)
	ESCAPES

	VPAND AT(10), Y2, Y6
	VPAND AT(10), Y3, Y7
	HAVE(Y6, Y7, DX)
	POPCNTQ DX, DX
	MOVQ DX, 192(SP) // decimal digits

	NONE(Y4, Y8)
	NONE(Y5, Y9)
	VMOVDQA Y0, Y6
	RARE(0, Y0, Y4, Y8, 0)
	RARE(32, Y1, Y5, Y9, 32)
	VPCMPEQB Y13, Y6, Y6
	VPTEST Y6, Y6
	JNE  rare
	MOVQ 192(SP), DX
	CMPQ DX, 200(SP)
	JGE  rare
	MOVQ R8, DX
	ORQ  R9, DX
	JNE  plain
next:
	ADDQ $64, AX
	JMP  loop

plain:
	NOTHING
	JMP  write

rare:
	VPCMPEQB Y13, Y0, Y0
	VPCMPEQB Y13, Y1, Y1
	VPMOVMSKB Y0, R15
	VPMOVMSKB Y1, DX
	SHLQ $32, DX
	ORQ  R15, DX
	MOVQ CX, 208(SP)
	MOVQ DX, 216(SP)
	WIDE
	MOVQ CX, record_wide(DI)
	MOVQ 208(SP), CX
	MOVQ 216(SP), DX
	WIDE4
	ORQ  CX, record_wide(DI)
	ZEROS(128, DX)
	MOVQ DX, record_marks(DI)
	// Digits of hexadecimal come in twos.
	ZEROS(64, DX)
	LEAQ (DX*4), CX
	ANDQ DX, CX
	ZEROS(0, DX)
	ORQ  CX, DX
	MOVQ DX, record_rows(DI)
	MOVQ 192(SP), CX
	MOVQ CX, record_digits(DI)
	CMPQ CX, 200(SP)
	JGE  write
	ORQ  record_wide(DI), DX
	ORQ  record_marks(DI), DX
	ORQ  R8, DX
	ORQ  R9, DX
	JEQ  next
write:
	RECORD
	JNE  loop

done:
	END

// SAME leaves in r the bytes of the 32 at off that are row's in any case.
#define SAME(off, row, r) \
	VPOR     Y8, off, r \
	VPCMPEQB AT(row), r, r

// func nameAVX2(data *byte, n int) (at int)
//
// Looks at 32 places at a time as long as 34 bytes lie below n, for "bas" and "tru" in
// any case. at is n if there is none.
TEXT ·nameAVX2(SB), NOSPLIT, $0-24
	MOVQ data+0(FP), SI
	MOVQ n+8(FP), BX
	XORQ AX, AX
	LEAQ -34(BX), DX
	VMOVDQU AT(16), Y8 // 0x20

names:
	CMPQ AX, DX
	JGT  none
	VMOVDQU 0(SI)(AX*1), Y0
	VMOVDQU 1(SI)(AX*1), Y1
	VMOVDQU 2(SI)(AX*1), Y2
	SAME(Y0, 17, Y3)
	SAME(Y1, 18, Y4)
	SAME(Y2, 19, Y5)
	VPAND Y3, Y4, Y3
	VPAND Y3, Y5, Y3
	SAME(Y0, 20, Y4)
	SAME(Y1, 21, Y5)
	SAME(Y2, 22, Y6)
	VPAND Y4, Y5, Y4
	VPAND Y4, Y6, Y4
	VPOR  Y3, Y4, Y3
	VPMOVMSKB Y3, CX
	ADDQ $32, AX
	TESTL CX, CX
	JEQ  names
	BSFL CX, CX
	LEAQ -32(AX)(CX*1), AX
	MOVQ AX, at+16(FP)
	VZEROUPPER
	RET

none:
	MOVQ BX, at+16(FP)
	VZEROUPPER
	RET
