// Package basetentest is a stateful server that behaves like Baseten's
// management and inference APIs, for tests, demonstrations and other people's
// clients. It listens on this machine only and knows only the keys it made up.
//
// What it does follows the management API's OpenAPI document where that speaks:
// routes, parameters, forms of answers, page sizes. What the document leaves open
// (which key may call what, error bodies, the rules for names) follows Baseten's
// pages and the sources of its tools, and is said beside the code.
//
// Faults are scripted with Server.Inject. Every byte that clients send is kept,
// so that a test can show what never went over the wire.
package basetentest
