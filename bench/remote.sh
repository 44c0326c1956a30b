#!/bin/sh
# Scanning a repository on a server, against what else there is:
#
#   bench/remote.sh REPOSITORY.git...
#
# Each bare repository is served by git http-backend on loopback, and is, in turns:
# scanned by its URL; cloned by git clone --mirror; and its pack transferred bare, by curl,
# to /dev/null. What is compared is the wall time, server included, which is what a user
# waits, and the processor time of the client. The medians of ROUNDS (5) are printed, with
# ratios. Run it on a quiet machine; the server takes a processor of its own.
set -eu
cd "$(dirname "$0")/.."
rounds=${ROUNDS:-5}
tmp=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$tmp"' EXIT
go build -o "$tmp/b10lint" ./cmd/b10lint
go build -o "$tmp/gitserve" ./bench/gitserve

# timed NAME COMMAND...: appends "wall cpu" to the file NAME
timed() {
	into=$1
	shift
	/usr/bin/time -f '%e %U %S %M' -o "$tmp/time" "$@" >"$tmp/out" 2>"$tmp/err" || [ $? -eq 1 ] || {
		cat "$tmp/err" >&2
		exit 1
	}
	awk 'END { print $1, $2 + $3, $4 / 1024 }' "$tmp/time" >>"$tmp/$into"
}

median() { # FILE COLUMN
	sort -n -k "$2" "$1" | awk -v c="$2" '{ v[NR] = $c } END { print v[int((NR + 1) / 2)] }'
}

for repository; do
	root=$(cd "$(dirname "$repository")" && pwd)
	name=$(basename "$repository")
	"$tmp/gitserve" "$root" >"$tmp/address" &
	server=$!
	while [ ! -s "$tmp/address" ]; do sleep 0.1; done
	url=$(head -1 "$tmp/address")/$name
	# What scan asks for: every reference, once.
	git ls-remote "$url" | awk '$2 !~ /\^\{\}$/ && !seen[$1]++ { print $1 }' | awk '
		function pkt(s) { printf "%04x%s", length(s) + 4, s }
		NR == 1 { pkt("want " $1 " side-band-64k ofs-delta no-progress\n"); next }
		{ pkt("want " $1 "\n") }
		END { printf "0000"; pkt("done\n") }' >"$tmp/request"
	rm -f "$tmp/scan" "$tmp/clone" "$tmp/bare"
	i=0
	while [ $i -lt "$rounds" ]; do
		timed scan "$tmp/b10lint" scan -q -f json="$tmp/report.json" --on-problem fail "$url"
		timed bare curl -sf --data-binary "@$tmp/request" -o /dev/null -H 'Content-Type: application/x-git-upload-pack-request' "$url/git-upload-pack"
		rm -rf "$tmp/mirror.git"
		timed clone git -c gc.auto=0 clone -q --mirror "$url" "$tmp/mirror.git"
		i=$((i + 1))
	done
	kill "$server"
	server=
	: >"$tmp/address"
	awk -v name="$name" -v rounds="$rounds" \
		-v sw="$(median "$tmp/scan" 1)" -v sc="$(median "$tmp/scan" 2)" -v sm="$(median "$tmp/scan" 3)" \
		-v bw="$(median "$tmp/bare" 1)" -v cw="$(median "$tmp/clone" 1)" -v cc="$(median "$tmp/clone" 2)" \
		-v mb="$(du -sk "$root/$name" | cut -f1)" 'BEGIN {
		printf "%s (%.0f MB), medians of %d\n", name, mb / 1024, rounds
		printf "  scan URL            %6.2f s wall  %5.2f s processor  %4.0f MiB\n", sw, sc, sm
		printf "  bare transfer       %6.2f s wall\n", bw
		printf "  git clone --mirror  %6.2f s wall\n", cw
		printf "  scan / clone %.2f, scan / bare transfer %.2f\n", sw / cw, sw / bw
	}'
done
