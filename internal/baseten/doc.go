// Package baseten is the client of Baseten's management API, and what is built
// on it to find out whether a key is alive. It is the only package that sends a
// found key anywhere.
//
// The rule of the package: a key is sent to Baseten's own hosts, or to one that
// the user named on the command line or in the environment, and nowhere else.
// It is held where the Authorization header is set (see Hosts), so no caller can
// get around it by passing an address.
//
// The types follow the management API's OpenAPI document. Fields and enumeration
// values that are not known here are tolerated, and what newer versions of the
// API added (created_at, last_used_at) is optional.
package baseten
