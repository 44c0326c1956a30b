#!/usr/bin/env bash
# Measures the peak memory of b10lint, as a whole process, on inputs that are far larger
# than what it may hold: a tar with an ordinary file of 10 GB that is a hole on disk, a tar
# with a sparse file of 10 GB, the first packed with gzip, a zip of 100,000 members, and
# an image's layer in zstd with a zip in it. Each holds a made-up key at its end,
# which must be found. All should stay under 200 MiB.
#
#	bench/memory.sh [-s GIGABYTES]
#
# It needs Go, GNU time, GNU tar, gzip, zip, zstd, and a file system with holes.
set -euo pipefail

gigabytes=10
while getopts s: option; do
	case $option in
	s) gigabytes=$OPTARG ;;
	*)
		echo "usage: bench/memory.sh [-s GIGABYTES]" >&2
		exit 2
		;;
	esac
done
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
(cd "$here" && CGO_ENABLED=0 go build -o "$tmp/b10lint" ./cmd/b10lint)
word() { LC_ALL=C tr -dc A-Za-z0-9 </dev/urandom 2>/dev/null | head -c "$1" || true; }

# key FILE: append a made-up key.
key() { printf '\nkey = "b10_%s.%s"\n' "$(word 8)" "$(word 32)" >>"$1"; }

mkdir "$tmp/in"
truncate -s "${gigabytes}G" "$tmp/zeros"
key "$tmp/zeros"
key "$tmp/last"
(cd "$tmp" && tar -cf - zeros last | cp --sparse=always /dev/stdin in/plain.tar)
(cd "$tmp" && tar --sparse -cf in/sparse.tar zeros last)
gzip -1 <"$tmp/in/plain.tar" >"$tmp/in/plain.tar.gz"
mkdir "$tmp/many"
(cd "$tmp/many" && seq 100000 | awk '{f = "file-" $1; print "a little content, " $1 > f; close(f)}')
key "$tmp/many/file-100000"
(cd "$tmp/many" && zip -q -r - .) >"$tmp/in/many.zip"
(cd "$tmp/in" && tar -cf - many.zip | zstd -q >layer.tar.zst)

failed=0
printf '%-16s %12s %12s %10s %9s\n' input "on disk KiB" "peak MiB" seconds findings
for f in "$tmp"/in/*; do
	code=0
	/usr/bin/time -o "$tmp/time" -f '%M %e' "$tmp/b10lint" scan --no-config -q "$f" >"$tmp/out" 2>"$tmp/err" || code=$?
	read -r peak seconds < <(tail -n 1 "$tmp/time")
	found=$(wc -l <"$tmp/out")
	printf '%-16s %12s %12s %10s %9s\n' "$(basename "$f")" "$(du -k "$f" | cut -f1)" $((peak / 1024)) "$seconds" "$found"
	if [ "$code" -ne 1 ] || [ "$found" -lt 1 ] || [ "$peak" -gt $((200 * 1024)) ]; then
		head -n 3 "$tmp/err" >&2
		failed=1
	fi
done
exit "$failed"
