#!/usr/bin/env bash
# Scans repositories and folders that hold no keys, with every view and with archives,
# and prints for each what there was to be wrong about and what was found, at any
# confidence: files or objects, notebooks, pictures inside notebooks, runs of base64 of
# 64 digits or more. Of a repository the files and the history are two lines.
#
#	bench/quiet.sh [-b] TARGET...
#
# With -b the runs of base64 in a history are left uncounted: all of its blobs must be
# printed for that, which takes minutes for a large one. It needs Go, git and jq. What was
# found is listed without its secret half. The exit status is 1 when anything was.
set -euo pipefail

count_runs=yes
while getopts b option; do
	case $option in
	b) count_runs= ;;
	*)
		echo "usage: bench/quiet.sh [-b] TARGET..." >&2
		exit 2
		;;
	esac
done
shift $((OPTIND - 1))
[ $# -gt 0 ] || {
	echo "bench: name a repository or a folder" >&2
	exit 2
}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
(cd "$here" && CGO_ENABLED=0 go build -o "$tmp/b10lint" ./cmd/b10lint)
export LC_ALL=C

# Both formats of notebooks: "image/png": and, in nbformat 3, "png":
pictures() { { grep -aoE '"(image/[a-z+.-]+|png|jpeg)":' || true; } | wc -l; }
runs() { { grep -aoE '[A-Za-z0-9+/]{64,}' || true; } | wc -l; }
summary() { jq -r ".summary.$1 // 0" "$tmp/report.json"; }

# row TARGET WHAT NOTEBOOKS PICTURES RUNS [FLAG...]: scan, and print a line.
row() {
	local target=$1 what=$2 notebooks=$3 pictures=$4 runs=$5 code=0 looked
	shift 5
	"$tmp/b10lint" scan --no-config --no-inline --min-confidence low -f json="$tmp/report.json" -f text="$tmp/report.txt" "$@" "$target" 2>"$tmp/stderr" || code=$?
	case $code in
	0 | 1 | 3) ;;
	*)
		cat "$tmp/stderr" >&2
		exit "$code"
		;;
	esac
	looked=$(summary files)
	[ "$what" = files ] || looked=$(summary objects)
	printf '%-24s %-8s %9s %9s %9s %9s %9s %9s\n' "$(basename "$target")" "$what" "$looked" "$notebooks" "$pictures" "$runs" \
		"$(summary findings)" "$(jq '.problems | length' "$tmp/report.json")"
	if [ "$(summary findings)" -gt 0 ]; then
		found=1
		jq -r '.findings[] | "  \(.confidence) \(.format) \(.prefix).**** \(.locations[0].path) \(.locations[0].member // "") \(.locations[0].line // "")"' "$tmp/report.json"
	fi
	jq -r '.problems[] | "  \(.path // .object) \(.member // ""): \(.error)"' "$tmp/report.json" | head -n 5
}

files() {
	find "$1" -name .git -prune -o -type f -print0 >"$tmp/files"
	{ tr '\0' '\n' <"$tmp/files" | grep -a '\.ipynb$' || true; } >"$tmp/notebooks"
	row "$1" files "$(wc -l <"$tmp/notebooks")" "$(tr '\n' '\0' <"$tmp/notebooks" | xargs -0 -r cat | pictures)" \
		"$(xargs -0 -r cat <"$tmp/files" | runs)" --no-history
}

history() {
	local runs=-
	git -C "$1" rev-list --objects --all --missing=allow-any | awk '/\.ipynb$/ {print $1}' | sort -u >"$tmp/ids"
	git -C "$1" cat-file --batch <"$tmp/ids" >"$tmp/notebooks"
	if [ "$count_runs" ]; then
		runs=$(git -C "$1" cat-file --batch-all-objects --batch-check='%(objectname) %(objecttype)' --unordered | awk '$2 == "blob" {print $1}' |
			git -C "$1" cat-file --batch --buffer | runs)
	fi
	row "$1" history "$(wc -l <"$tmp/ids")" "$(pictures <"$tmp/notebooks")" "$runs" --history-only
}

found=0
printf '%-24s %-8s %9s %9s %9s %9s %9s %9s\n' target what looked-at notebooks pictures base64 findings problems
for target in "$@"; do
	if ! git -C "$target" rev-parse --is-bare-repository 2>/dev/null | grep -q true; then files "$target"; fi
	if git -C "$target" rev-parse --git-dir >/dev/null 2>&1; then history "$target"; fi
done
exit "$found"
