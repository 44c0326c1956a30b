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

DATA lanes<>+0(SB)/8, $0x8000800080008000
GLOBL lanes<>(SB), RODATA, $8

// func sweepAVX512(data *byte, from, to int, t *tables512, c *carries, out *[maxRecords]record) (at, size int)
TEXT ·sweepAVX512(SB), NOSPLIT, $0-64
	MOVQ data+0(FP), SI
	MOVQ from+8(FP), AX
	MOVQ to+16(FP), BX
	MOVQ t+24(FP), DX
	MOVQ c+32(FP), CX
	MOVQ out+40(FP), DI
	MOVQ $0x0001000100010001, R10
	LEAQ (const_maxRecords*record__size)(DI), R14
	MOVBQZX 0(CX), R11
	MOVBQZX 1(CX), R12
	MOVBQZX 2(CX), R13
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
	MOVQ R8, DX
	ORQ  R9, DX
	JNE  plain
next:
	ADDQ $64, AX
	JMP  loop

plain:
	XORQ CX, CX
	MOVQ CX, record_rows(DI)
	MOVQ CX, record_marks(DI)
	MOVQ CX, record_wide(DI)
	JMP  write

rare:
	VPTESTNMB Z0, Z0, K3
	KMOVQ K3, DX
	WIDE
	MOVQ CX, record_wide(DI)
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
	ORQ  record_wide(DI), DX
	ORQ  record_marks(DI), DX
	ORQ  R8, DX
	ORQ  R9, DX
	JEQ  next
write:
	MOVQ AX, record_at(DI)
	MOVQ R8, record_shapes(DI)
	MOVQ R9, record_escapes(DI)
	ADDQ $record__size, DI
	ADDQ $64, AX
	CMPQ DI, R14
	JNE  loop

done:
	MOVQ c+32(FP), CX
	MOVB R11, 0(CX)
	MOVB R12, 1(CX)
	MOVB R13, 2(CX)
	MOVQ AX, at+48(FP)
	SUBQ out+40(FP), DI
	MOVQ DI, size+56(FP)
	VZEROUPPER
	RET
