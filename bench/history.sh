#!/usr/bin/env bash
# Compares the scan of a repository's history with two other programs, in turns in
# one run on one machine: git printing all objects to nowhere, and gitleaks with one
# rule, the b10 form. Prints the medians, their ratios, b10lint's peak memory, and
# what it costs to locate keys: the same repository with some keys in old commits.
#
#	bench/history.sh [-n RUNS] [-m KEYS] REPOSITORY...
#
# It needs Go, git and a time program (GNU). gitleaks, where it is installed, is run
# in the first turn only; in a partial clone it stops at the first blob that is not
# there, and its time says nothing. The copy with keys is made in the folder for
# temporary files; the repositories themselves are not changed.
set -euo pipefail

runs=7 keys=20
while getopts n:m: option; do
	case $option in
	n) runs=$OPTARG ;;
	m) keys=$OPTARG ;;
	*)
		echo "usage: bench/history.sh [-n RUNS] [-m KEYS] REPOSITORY..." >&2
		exit 2
		;;
	esac
done
shift $((OPTIND - 1))
[ $# -gt 0 ] || {
	echo "bench: name a repository" >&2
	exit 2
}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
(cd "$here" && CGO_ENABLED=0 go build -o "$tmp/b10lint" ./cmd/b10lint)
cat >"$tmp/one-rule.toml" <<'TOML'
title = "one rule"
[[rules]]
id = "b10"
regex = '''b10_[A-Za-z0-9]{8}\.[A-Za-z0-9]{32}'''
keywords = ["b10_"]
TOML

word() { LC_ALL=C tr -dc A-Za-z0-9 </dev/urandom 2>/dev/null | head -c "$1" || true; }

# plant NAME: give a clone's history keys that were added to files and taken out.
plant() {
	export GIT_AUTHOR_NAME=b GIT_AUTHOR_EMAIL=b@example.com GIT_COMMITTER_NAME=b GIT_COMMITTER_EMAIL=b@example.com
	local g=(git -C "$1") i
	for ((i = 0; i < keys; i++)); do
		local parent blob tree
		parent=$("${g[@]}" rev-parse HEAD)
		blob=$(printf 'key = "b10_%s.%s"\n' "$(word 8)" "$(word 32)" | "${g[@]}" hash-object -w --stdin)
		tree=$({ "${g[@]}" ls-tree HEAD | grep -v $'\tplanted$' || true; printf '100644 blob %s\tplanted\n' "$blob"; } | "${g[@]}" mktree --missing)
		"${g[@]}" update-ref HEAD "$("${g[@]}" commit-tree -p "$parent" -m "plant $i" "$tree")"
	done
	"${g[@]}" repack -q -d
}

milliseconds() {
	local start end code=0
	start=$(date +%s%N)
	"$@" >/dev/null 2>"$tmp/stderr" || code=$?
	end=$(date +%s%N)
	[ "$code" -le 3 ] || {
		cat "$tmp/stderr" >&2
		exit 1
	}
	echo $(((end - start) / 1000000))
}
median() { sort -n "$1" | awk '{v[NR] = $1} END {print v[int((NR + 1) / 2)]}'; }
ratio() { awk -v a="$1" -v b="$2" 'BEGIN {printf "%.2f", a / (b > 0 ? b : 1)}'; }

for repository in "$@"; do
	name=$(basename "$(dirname "$(cd "$repository" && pwd)")")/$(basename "$repository")
	# A copy, as a partial clone cannot be cloned.
	cp -R "$(git -C "$repository" rev-parse --absolute-git-dir)" "$tmp/with.git"
	git -C "$tmp/with.git" config core.bare true
	plant "$tmp/with.git"
	programs=(b10lint git with)
	rm -f "$tmp"/*.ms
	for ((turn = 0; turn < runs; turn++)); do
		for p in "${programs[@]}"; do
			case $p in
			b10lint) c=("$tmp/b10lint" scan -q --history-only "$repository") ;;
			git) c=(git -C "$repository" cat-file --batch-all-objects --batch --unordered --buffer) ;;
			*) c=("$tmp/b10lint" scan -q --history-only "$tmp/$p.git") ;;
			esac
			milliseconds "${c[@]}" >>"$tmp/$p.ms"
		done
		if [ "$turn" = 0 ] && command -v gitleaks >/dev/null; then
			milliseconds gitleaks git --config "$tmp/one-rule.toml" --no-banner --log-level error --exit-code 0 "$repository" >>"$tmp/gitleaks.ms"
		fi
	done
	ours=$(median "$tmp/b10lint.ms") theirs=$(median "$tmp/git.ms")
	peak=$( { /usr/bin/time -f %M "$tmp/b10lint" scan -q --history-only "$repository" >/dev/null || true; } 2>&1 | tail -1)
	echo "$name: b10lint $ours ms, git cat-file $theirs ms: $(ratio "$ours" "$theirs") of it (at most 0.30); peak memory $((peak / 1024)) MiB"
	if [ -s "$tmp/gitleaks.ms" ]; then
		echo "$name: gitleaks with one rule $(median "$tmp/gitleaks.ms") ms: $(ratio "$(median "$tmp/gitleaks.ms")" "$ours") times as long (at least 20)"
	fi
	echo "$name: with $keys keys to locate $(median "$tmp/with.ms") ms: $(ratio "$(median "$tmp/with.ms")" "$ours") times as long (at most 2)"
	rm -rf "$tmp/with.git"
done
