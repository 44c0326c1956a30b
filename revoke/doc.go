// Package revoke takes keys out of service: it plans, keeps a journal, carries
// out, checks and gives a receipt; and it rotates a key, which is to put a
// successor in its place first.
//
// A key is named by its prefix everywhere in this package, in its files and in
// what it prints. A secret half is held only by a rotation, from the answer that
// brought it to the sink it is delivered to.
package revoke
