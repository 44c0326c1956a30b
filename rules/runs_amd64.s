#include "textflag.h"

// func denseSSSE3(data *byte, i, n int, tables *[64]byte) int
//
// tables: 16 bytes by low nibble, 16 by high nibble, 16 times 0x0F, 16 times 0.
// A byte is dense when the two table bytes have a bit in common (the nibble
// method of Langdale and Mula). Looks at the 16 bytes at i, i+17, i+34 ...
// as long as they lie below n.
TEXT ·denseSSSE3(SB), NOSPLIT, $0-40
	MOVQ data+0(FP), SI
	MOVQ i+8(FP), AX
	MOVQ n+16(FP), BX
	MOVQ tables+24(FP), DI
	MOVOU 0(DI), X8
	MOVOU 16(DI), X9
	MOVOU 32(DI), X10
	PXOR X11, X11
	SUBQ $16, BX

loop:
	CMPQ AX, BX
	JGT  none
	MOVOU (SI)(AX*1), X0
	MOVO  X0, X1
	PSRLW $4, X1
	MOVO  X0, X4
	PAND  X10, X0
	PAND  X10, X1
	MOVO  X8, X2
	MOVO  X9, X3
	PSHUFB X0, X2
	PSHUFB X1, X3
	PAND  X3, X2
	PCMPEQB X11, X2
	PMOVMSKB X2, CX
	TESTL CX, CX
	JEQ   found
	CMPL  CX, $0x5555
	JEQ   wide
	CMPL  CX, $0xAAAA
	JEQ   wide
next:
	ADDQ $17, AX
	JMP  loop

wide:
	PCMPEQB X11, X4
	PMOVMSKB X4, DX
	CMPL DX, CX
	JNE  next

found:
	MOVQ AX, ret+32(FP)
	RET

none:
	MOVQ $-1, ret+32(FP)
	RET

// func pairSSE2(data *byte, i, n int, first, fourth uint64) int
//
// The first place at or after i, with 19 bytes from there below n, at which data
// has one byte and three further on another; -1 if there is none. first and fourth
// hold the bytes eight times over.
TEXT ·pairSSE2(SB), NOSPLIT, $0-48
	MOVQ data+0(FP), SI
	MOVQ i+8(FP), AX
	MOVQ n+16(FP), BX
	MOVQ first+24(FP), X1
	PUNPCKLQDQ X1, X1
	MOVQ fourth+32(FP), X2
	PUNPCKLQDQ X2, X2
	SUBQ $19, BX

loop:
	CMPQ AX, BX
	JGT  none
	MOVOU (SI)(AX*1), X0
	MOVOU 3(SI)(AX*1), X3
	PCMPEQB X1, X0
	PCMPEQB X2, X3
	PAND X3, X0
	PMOVMSKB X0, CX
	TESTL CX, CX
	JNE  found
	ADDQ $16, AX
	JMP  loop

found:
	BSFL CX, CX
	ADDQ CX, AX
	MOVQ AX, ret+40(FP)
	RET

none:
	MOVQ $-1, ret+40(FP)
	RET
