#!/usr/bin/env bash
# Compares a scan of archives with the programs that only unpack them, in turns in one
# run on one machine: every zip of a folder, with `7z x -so`, and what is in them as one
# tar.gz and one tar.zst, with 7z twice, or zstd and tar. b10lint runs with one thread and
# with one a processor, unpacks one level (two for the packed tars) like the others, and
# reads every byte besides. Prints the medians, b10lint's ratio to each, and the peak of
# its memory, and checks that the report is the same for any number of threads.
#
#	bench/archives.sh [-n RUNS] [FOLDER]
#
# FOLDER is Go's cache of downloaded modules when none is given. It needs Go, 7z, GNU tar,
# gzip, and room for the unpacked content twice in the folder for temporary files; what
# needs zstd or GNU time is left out where they are not installed. The files are read once
# before, so that they come from memory.
set -euo pipefail

runs=5
while getopts n: option; do
	case $option in
	n) runs=$OPTARG ;;
	*)
		echo "usage: bench/archives.sh [-n RUNS] [FOLDER]" >&2
		exit 2
		;;
	esac
done
shift $((OPTIND - 1))
folder=${1:-$(go env GOMODCACHE)/cache/download}
[ -d "$folder" ] || {
	echo "bench: $folder is not a folder" >&2
	exit 2
}
[[ $runs =~ ^[1-9][0-9]*$ ]] || {
	echo "bench: -n $runs: give a number of runs, one or more" >&2
	exit 2
}
command -v 7z >/dev/null || {
	echo "bench: 7z is not installed (apt-get install p7zip-full)" >&2
	exit 2
}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
(cd "$here" && go build -o "$tmp/b10lint" ./cmd/b10lint)

mkdir "$tmp/zips" "$tmp/content"
find "$folder" -type f -name '*.zip' -print0 | while IFS= read -r -d '' zip; do
	cp "$zip" "$(mktemp "$tmp/zips/XXXXXXXX.zip")"
done
find "$tmp/zips" -name '*.zip' -exec 7z x -y -bd -o"$tmp/content" {} \; >/dev/null
mkdir "$tmp/gz" "$tmp/zst"
tar -C "$tmp" -czf "$tmp/gz/content.tar.gz" content
cases=(zips gz)
if command -v zstd >/dev/null; then
	tar -C "$tmp" -cf - content | zstd -q -o "$tmp/zst/content.tar.zst"
	cases+=(zst)
else
	echo "zstd is not installed: left out (apt-get install zstd)"
fi
rm -rf "$tmp/content"

others_zips() { find "$tmp/zips" -name '*.zip' -exec 7z x -so -bd {} \;; }
others_gz() { 7z x -so -bd "$tmp/gz/content.tar.gz" | 7z x -si -ttar -so -bd; }
others_zst() { zstd -dcq "$tmp/zst/content.tar.zst" | tar -xOf -; }
level() { [ "$1" = zips ] && echo 1 || echo 2; }
b10lint() { # CASE JOBS
	local time=()
	if command -v /usr/bin/time >/dev/null; then time=(/usr/bin/time -f %M -o "$tmp/$1.$2.kb"); fi
	"${time[@]}" "$tmp/b10lint" scan -q -f "json=$tmp/$1.$2.json" --no-history --jobs "$2" --archive-depth "$(level "$1")" "$tmp/$1"
}

# once COMMAND...: run it, and print its milliseconds. A status above 3 is a failure;
# 1 and 3 are keys that were found and members that could not be read.
once() {
	local start end code=0
	start=$(date +%s%N)
	"$@" >/dev/null 2>"$tmp/err" || code=$?
	end=$(date +%s%N)
	if [ "$code" -gt 3 ]; then
		echo "bench: $* exits with $code" >&2
		head -n 5 "$tmp/err" >&2
		exit 1
	fi
	echo $(((end - start) / 1000000))
}

median() { sort -n "$1" | awk '{ a[NR] = $1 } END { print NR % 2 ? a[(NR + 1) / 2] : (a[NR / 2] + a[NR / 2 + 1]) / 2 }'; }
plain() { sed -E 's/"(started|elapsed_ms)": *("[^"]*"|[0-9]+)//; s/"--jobs", *"[0-9]+"//' "$1"; }

processors=$(getconf _NPROCESSORS_ONLN)
threads=(1)
[ "$processors" -gt 1 ] && threads+=("$processors")
echo "$folder: $(find "$tmp/zips" -name '*.zip' | wc -l) zips, $(others_zips 2>/dev/null | wc -c | awk '{ printf "%.0f", $1 / 1e6 }') MB unpacked, $processors processors"
printf '%-6s %-10s %10s %12s %10s\n' "case" "program" "median ms" "b10lint/it" "peak MiB"
for case in "${cases[@]}"; do
	for ((i = 0; i <= runs; i++)); do # the first is not counted
		once "others_$case" >>"$tmp/$case.others"
		for jobs in "${threads[@]}"; do once b10lint "$case" "$jobs" >>"$tmp/$case.$jobs"; done
	done
	for name in others "${threads[@]}"; do sed -i 1d "$tmp/$case.$name"; done
	theirs=$(median "$tmp/$case.others")
	printf '%-6s %-10s %10s\n' "$case" "unpacking" "$theirs"
	for jobs in "${threads[@]}"; do
		ours=$(median "$tmp/$case.$jobs")
		peak=$(tail -n 1 "$tmp/$case.$jobs.kb" 2>/dev/null | awk '{ printf "%.0f", $1 / 1024 }')
		printf '%-6s %-10s %10s %12s %10s\n' "$case" "--jobs $jobs" "$ours" "$(awk -v a="$ours" -v b="$theirs" 'BEGIN { printf "%.2f", a / b }')" "${peak:-unknown}"
		cmp -s <(plain "$tmp/$case.1.json") <(plain "$tmp/$case.$jobs.json") || {
			echo "bench: $case: the report with $jobs threads is not the one with 1" >&2
			exit 1
		}
	done
done
