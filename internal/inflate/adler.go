package inflate

import a "hash/adler32"

func adler32(p []byte) uint32 { return a.Checksum(p) }
