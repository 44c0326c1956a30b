#!/bin/sh
# Time, memory and calls of an audit of a large organisation on loopback: 5,000
# keys, 200 members, 100,000 audit-log entries, 92 days of usage. Held: 3 s, 300 MB.
set -eu
cd "$(dirname "$0")/.."
dir=$(mktemp -d)
trap 'kill "$fake" 2>/dev/null; rm -rf "$dir"' EXIT
go build -o "$dir/b10lint" ./cmd/b10lint
go build -o "$dir/fake" ./cmd/fakebaseten
"$dir/fake" -keys 5000 -users 200 -audit 100000 -usage-days 92 -o env > "$dir/env" &
fake=$!
until [ -s "$dir/env" ]; do sleep 0.1; done
set -a
. "$dir/env"
set +a
for format in text json html sarif; do
	/usr/bin/time -f "$format: %e s, user %U s, %M kB" "$dir/b10lint" audit -f "$format=$dir/out" || [ $? -eq 1 ]
done
