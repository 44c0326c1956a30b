#include "textflag.h"

// func windowSSSE3(data *byte, i, n int, tables *[112]byte) (at int, mask uint64)
//
// tables: 16 bytes by low nibble, 16 by high nibble, 16 times 0x0F, 16 times 0, 16
// times 'b', 16 times 's', 16 times '_'. A byte is dense when the two table bytes have a bit in
// common (the nibble method of Langdale and Mula). Looks at the 16 bytes at i,
// i+16, i+32 ... as long as 19 bytes lie below n, and stops at a window of dense
// bytes, of dense and zero bytes by turns (mask 0), or at one in which a 'b' or an
// 's' has a '_' three bytes further on (mask says where). at is -1 if there is none.
TEXT ·windowSSSE3(SB), NOSPLIT, $0-48
	MOVQ data+0(FP), SI
	MOVQ i+8(FP), AX
	MOVQ n+16(FP), BX
	MOVQ tables+24(FP), DI
	MOVOU 0(DI), X8
	MOVOU 16(DI), X9
	MOVOU 32(DI), X10
	PXOR X11, X11
	MOVOU 64(DI), X12
	MOVOU 80(DI), X14
	MOVOU 96(DI), X13
	SUBQ $19, BX

loop:
	CMPQ AX, BX
	JGT  none
	MOVOU (SI)(AX*1), X0
	MOVOU 3(SI)(AX*1), X5
	MOVO  X0, X1
	PSRLW $4, X1
	MOVO  X0, X4
	MOVO  X0, X6
	MOVO  X0, X7
	PAND  X10, X0
	PAND  X10, X1
	MOVO  X8, X2
	MOVO  X9, X3
	PSHUFB X0, X2
	PSHUFB X1, X3
	PAND  X3, X2
	PCMPEQB X11, X2
	PCMPEQB X12, X6
	PCMPEQB X14, X7
	PCMPEQB X13, X5
	PMOVMSKB X2, CX
	POR   X7, X6
	PAND  X5, X6
	TESTL CX, CX
	JEQ   dense
	PMOVMSKB X6, DX
	TESTL DX, DX
	JNE   pair
	CMPL  CX, $0x5555
	JEQ   wide
	CMPL  CX, $0xAAAA
	JEQ   wide
next:
	ADDQ $16, AX
	JMP  loop

wide:
	PCMPEQB X11, X4
	PMOVMSKB X4, DX
	CMPL DX, CX
	JNE  next

dense:
	XORQ DX, DX
pair:
	MOVQ AX, at+32(FP)
	MOVQ DX, mask+40(FP)
	RET

none:
	MOVQ $-1, at+32(FP)
	MOVQ $0, mask+40(FP)
	RET
