#!/usr/bin/env bash
# Times b10lint scan --staged as a whole process, on an index of 10,000 entries with
# a few changes, in turns with the least a program can do: print its version. Prints
# the medians, which should be under 50 ms for the scan.
#
#	bench/staged.sh [-n RUNS] [-e ENTRIES]
set -euo pipefail

runs=21 entries=10000
while getopts n:e: option; do
	case $option in
	n) runs=$OPTARG ;;
	e) entries=$OPTARG ;;
	*)
		echo "usage: bench/staged.sh [-n RUNS] [-e ENTRIES]" >&2
		exit 2
		;;
	esac
done
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
(cd "$here" && CGO_ENABLED=0 go build -o "$tmp/b10lint" ./cmd/b10lint)

export GIT_AUTHOR_NAME=b GIT_AUTHOR_EMAIL=b@example.com GIT_COMMITTER_NAME=b GIT_COMMITTER_EMAIL=b@example.com
git init -q "$tmp/repo"
cd "$tmp/repo"
for ((i = 0; i < entries; i++)); do
	echo "a/d$((i % 97))/e$((i % 11))/file-$i.txt"
done >"$tmp/names"
{
	echo "commit refs/heads/main"
	echo "committer b <b@example.com> 1700000000 +0000"
	printf 'data 4\nmany\n'
	while read -r name; do
		printf 'M 644 inline %s\ndata <<END\n%s\nEND\n' "$name" "$name"
	done <"$tmp/names"
	echo
} | git fast-import --quiet
git symbolic-ref HEAD refs/heads/main
git reset -q --hard
for i in 1 2 3 4 5; do
	echo changed >>"a/d$i/e$i/file-$i.txt" 2>/dev/null || { mkdir -p "a/d$i/e$i" && echo new >"a/d$i/e$i/file-$i.txt"; }
done
git add -A

milliseconds() {
	local start end
	start=$(date +%s%N)
	"$@" >/dev/null
	end=$(date +%s%N)
	awk -v n=$((end - start)) 'BEGIN {printf "%.1f\n", n / 1e6}'
}
median() { sort -n "$1" | awk '{v[NR] = $1} END {print v[int((NR + 1) / 2)]}'; }
for ((turn = 0; turn < runs; turn++)); do
	milliseconds "$tmp/b10lint" scan --staged -q >>"$tmp/staged.ms"
	milliseconds "$tmp/b10lint" version >>"$tmp/version.ms"
done
echo "$(git ls-files | wc -l) entries: scan --staged $(median "$tmp/staged.ms") ms (under 50), version $(median "$tmp/version.ms") ms"
