#include "textflag.h"

// func digitBlockAVX2(data *byte, n int, tables *[2][32]byte) int
//
// A byte is a digit when the entries of its low and its high nibble share a bit. VPSHUFB
// gives no entry for bytes that are not ASCII.
TEXT ·digitBlockAVX2(SB), NOSPLIT, $0-32
	MOVQ data+0(FP), SI
	MOVQ n+8(FP), CX
	MOVQ tables+16(FP), DX
	VMOVDQU (DX), Y1
	VMOVDQU 32(DX), Y2
	MOVQ $0x0F0F0F0F0F0F0F0F, BX
	MOVQ BX, X3
	VPBROADCASTQ X3, Y3
	VPXOR Y0, Y0, Y0
	XORQ AX, AX
	JMP  next

block:
	VMOVDQU  (SI)(AX*1), Y4
	VPSRLW   $4, Y4, Y5
	VPAND    Y3, Y5, Y5
	VPSHUFB  Y4, Y1, Y6
	VPSHUFB  Y5, Y2, Y7
	VPAND    Y6, Y7, Y6
	VPCMPEQB Y0, Y6, Y6
	VPTEST   Y6, Y6
	JZ       done
	ADDQ     $32, AX

next:
	LEAQ 32(AX), R8
	CMPQ R8, CX
	JLE  block

done:
	VZEROUPPER
	MOVQ AX, ret+24(FP)
	RET
