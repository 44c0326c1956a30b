#!/usr/bin/env bash
# Compares a folder scan with two other programs, in turns in one run on one
# machine: ripgrep looking for the literal "b10_" alone, and gitleaks with one rule,
# the b10 form. None looks into archives or history. Prints the medians and b10lint's
# ratio to each.
#
#	bench/folder.sh [-n RUNS] [FOLDER]
#
# FOLDER is Go's module cache when none is given. It needs Go; a program that is
# not installed is named and left out. The files are read once before, so that they
# come from memory. gitleaks takes minutes where the others take seconds, so it is
# run in the first turn only.
set -euo pipefail

runs=5
while getopts n: option; do
	case $option in
	n) runs=$OPTARG ;;
	*)
		echo "usage: bench/folder.sh [-n RUNS] [FOLDER]" >&2
		exit 2
		;;
	esac
done
shift $((OPTIND - 1))
folder=${1:-$(go env GOMODCACHE)}
[ -d "$folder" ] || {
	echo "bench: $folder is no folder" >&2
	exit 2
}
[[ $runs =~ ^[1-9][0-9]*$ ]] || {
	echo "bench: -n $runs: give a number of runs, one or more" >&2
	exit 2
}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

(cd "$here" && go build -o "$tmp/b10lint" ./cmd/b10lint)
cat >"$tmp/one-rule.toml" <<'TOML'
title = "one rule"
[[rules]]
id = "b10"
regex = '''b10_[A-Za-z0-9]{8}\.[A-Za-z0-9]{32}'''
keywords = ["b10_"]
TOML

b10lint() { "$tmp/b10lint" scan -q --no-archives --no-history "$folder"; }
ripgrep() { rg -a --no-ignore --hidden -c -F b10_ "$folder"; }
gitleaks_one_rule() { gitleaks dir --config "$tmp/one-rule.toml" --no-banner --log-level error --exit-code 0 "$folder"; }

programs=(b10lint)
if command -v rg >/dev/null; then programs+=(ripgrep); else echo "rg is not installed: left out (apt-get install ripgrep)"; fi
if command -v gitleaks >/dev/null; then programs+=(gitleaks_one_rule); else echo "gitleaks is not installed: left out (go install github.com/zricethezav/gitleaks/v8@latest)"; fi

# once NAME: run it, and print its milliseconds. A status above 1 is a failure; 1 is
# "found" for us and "not found" for ripgrep. b10lint's 3 and ripgrep's 2 are files
# that could not be read.
once() {
	local start end code=0
	start=$(date +%s%N)
	"$1" >"$tmp/$1.out" 2>"$tmp/$1.err" || code=$?
	end=$(date +%s%N)
	case $1:$code in
	*:0 | *:1 | b10lint:3 | ripgrep:2) ;;
	*)
		echo "bench: $1 exits with $code" >&2
		head -n 5 "$tmp/$1.err" >&2
		exit 1
		;;
	esac
	echo $(((end - start) / 1000000))
}

median() { sort -n "$1" | awk '{ a[NR] = $1 } END { print NR % 2 ? a[(NR + 1) / 2] : (a[NR / 2] + a[NR / 2 + 1]) / 2 }'; }

echo "$folder: $(find "$folder" -type f | wc -l) files, $(du -sh --apparent-size "$folder" 2>/dev/null | cut -f1), $(getconf _NPROCESSORS_ONLN) processors"
once b10lint >/dev/null
for ((i = 0; i < runs; i++)); do
	for program in "${programs[@]}"; do
		if [ "$i" = 0 ] || [ "$program" != gitleaks_one_rule ]; then once "$program" >>"$tmp/$program.ms"; fi
	done
done

ours=$(median "$tmp/b10lint.ms")
printf '%-20s %10s %10s %10s\n' program "median ms" "fastest" "b10lint/it"
for program in "${programs[@]}"; do
	ms=$(median "$tmp/$program.ms")
	printf '%-20s %10s %10s %10s\n' "$program" "$ms" "$(sort -n "$tmp/$program.ms" | head -n 1)" \
		"$(awk -v a="$ours" -v b="$ms" 'BEGIN { printf "%.2f", a / b }')"
done
echo "b10lint: $("$tmp/b10lint" scan --no-archives --no-history "$folder" | tail -n 3 | tr '\n' ' ')"
