#!/usr/bin/env bash
# Kills runs that revoke with SIGKILL at random moments, against cmd/fakebaseten on loopback, and takes each up
# again: revoke, scan --revoke and incident (which rotates too), in turns. After each kill and after each resume it
# holds that
#   - nothing outside the plan is gone, and nothing is gone without a journal;
#   - every resume ends with every planned key gone, one live successor where a key was rotated, and status 0;
#   - the receipt fits its journal (b10lint receipt verify), and no file but the dotenv file holds a secret half or
#     can be read by others.
# Usage: bench/kills.sh [KILLS] (300). Needs git and curl; some 3 s a kill. Not part of .ci/run.
set -euo pipefail
kills=${1:-300}
cd "$(dirname "$0")/.."
top=$(mktemp -d)
fake=
finish() {
	[ -z "$fake" ] || kill "$fake" 2>/dev/null || true
	rm -rf "$top"
}
trap finish EXIT
go build -o "$top/b10lint" ./cmd/b10lint
go build -o "$top/fakebaseten" ./cmd/fakebaseten
latency=()
if "$top/fakebaseten" -h 2>&1 | grep -q -- '-latency'; then latency=(-latency 0s-60ms); fi
HOME=$top/home
export HOME
mkdir "$HOME"
"$top/fakebaseten" -keys 5 -usage-days 0 -o env "${latency[@]}" >"$top/env" &
fake=$!
until [ -s "$top/env" ]; do sleep 0.1; done
set -a
# shellcheck disable=SC1091
. "$top/env"
set +a
b10lint() { "$top/b10lint" "$@"; }
fail() {
	printf 'kills.sh: kill %s of %s, in %s: %s\n' "$n" "$kills" "$mode" "$*" >&2
	cat "$work/out" >&2 || true
	cp -r "$work" "/tmp/kills-failed.$$" && printf 'kept: /tmp/kills-failed.%s\n' "$$" >&2
	exit 1
}
list() { curl -fsS -H "Authorization: Bearer $BASETEN_API_KEY" "$BASETEN_MANAGEMENT_API_URL_OVERRIDE/v1/api_keys" >"$work/list"; }
lives() { grep -q "\"prefix\":\"$1\"" "$work/list"; }
make() { b10lint keys create --type workspace-manage-all --name "$1" 2>/dev/null; }

journals() { find "$work/journal" "$work/case/journal" -name "$1-*.jsonl" 2>/dev/null || true; }

# check holds what has to hold at any moment.
check() {
	list
	for p in "${decoys[@]}"; do lives "$p" || fail "$1: $p is gone, which was in no plan"; done
	local gone=0
	for p in "${prefixes[@]}"; do lives "$p" || gone=$((gone + 1)); done
	[ $gone -eq 0 ] || [ -n "$(journals 'r*')" ] || fail "$1: $gone keys are gone, and there is no journal"
	local half file
	for half in "${halves[@]}"; do
		file=$(grep -rlF "$half" "$work" --include='*.json*' --include='*.md' --include='*.html' --include=out || true)
		[ -z "$file" ] || fail "$1: a secret half is in $file"
	done
	file=$(find "$work/journal" "$work/case" -type f -perm /077 2>/dev/null || true)
	[ -z "$file" ] || fail "$1: others can read $file"
	echo "$gone" >"$work/gone"
}

n=0 done_=0 open=0 part=0 early=0 late=0
declare -A span=([revoke]=400 [scan]=500 [incident]=900)
declare -A of
while [ "$done_" -lt "$kills" ]; do
	n=$((n + 1))
	mode=$(printf 'revoke scan incident' | cut -d' ' -f$((n % 3 + 1)))
	work=$top/$n
	mkdir -p "$work/repo"
	prefixes=() halves=() decoys=()
	git -C "$work/repo" init -q
	echo .env >"$work/repo/.gitignore"
	for i in 1 2 3; do
		key=$(make "leak-$n-$i")
		prefixes+=("${key%%.*}")
		halves+=("${key#*.}")
		echo "baseten_api_key = \"$key\"" >"$work/repo/$i.py"
		[ $i -gt 1 ] || echo "BASETEN_API_KEY=$key" >"$work/repo/.env"
	done
	key=$(make "decoy-$n")
	decoys+=("${key%%.*}")
	case $mode in
	revoke) args=(revoke "${prefixes[@]}" --yes --force-active --journal "$work/journal" --receipt "$work/receipt.json") ;;
	scan) args=(scan --revoke --yes --journal "$work/journal" --receipt "$work/receipt.json" "$work/repo") ;;
	incident) args=(incident --yes --folder "$work/case" "$work/repo") ;;
	esac
	began=$(date +%s%N)
	"$top/b10lint" "${args[@]}" >"$work/out" 2>&1 &
	run=$!
	after=$((RANDOM * 32768 + RANDOM))
	after=$((after % span[$mode]))
	if [ $((RANDOM % 2)) = 0 ]; then # at any moment of the run
		sleep "$((after / 1000)).$(printf %03d $((after % 1000)))"
	else # while a journal is open
		for _ in $(seq 400); do
			[ -z "$(journals 'r*')" ] && kill -0 "$run" 2>/dev/null || break
			sleep 0.002
		done
		sleep "0.$(printf %03d $((after % 60)))"
	fi
	killed=0
	kill -9 "$run" 2>/dev/null && killed=1
	ended=0
	wait "$run" 2>/dev/null || ended=$?
	if [ $killed = 1 ] && [ $ended = 137 ]; then
		done_=$((done_ + 1))
		of[$mode]=$((${of[$mode]:-0} + 1))
	else
		late=$((late + 1)) # it had come to its end: kill earlier
		took=$((($(date +%s%N) - began) / 1000000))
		span[$mode]=$((took > 50 ? took : 50))
	fi
	check "after the kill"
	gone=$(cat "$work/gone")
	if [ "$gone" -gt 0 ] && [ "$gone" -lt 3 ]; then part=$((part + 1)); fi
	if [ -n "$(journals 'r*')" ]; then open=$((open + 1)); else early=$((early + 1)); fi

	status=0
	if [ "$mode" = incident ] && [ -f "$work/case/incident.json" ]; then
		b10lint incident --yes --resume "$work/case" >"$work/out" 2>&1 || status=$?
	elif grep -qs '"step":"begin".*}$' $(journals revoke) /dev/null; then
		b10lint revoke --resume "$(journals revoke)" --receipt "$work/receipt.json" >"$work/out" 2>&1 || status=$?
	else # nothing was begun
		rm -rf "$work/case" "$work/journal"
		b10lint "${args[@]}" >"$work/out" 2>&1 || status=$?
		# A scan that finds keys says so by 1, also when it revoked them.
		if [ "$mode" = scan ] && [ $status -eq 1 ]; then status=0; fi
	fi
	[ $status -eq 0 ] || fail "the resume ended with $status"
	check "after the resume"
	for p in "${prefixes[@]}"; do ! lives "$p" || fail "$p still lives"; done
	receipt=$work/receipt.json
	if [ "$mode" = incident ]; then
		receipt=$work/case/receipt.json
		[ -f "$work/case/TODO.md" ] || fail "there is no TODO.md"
		[ "$(grep -o "\"name\":\"leak-$n-1-r[^\"]*" "$work/list" | wc -l)" = 1 ] || fail "there is not one successor"
		lives "$(sed -n 's/^BASETEN_API_KEY=\([^.]*\)\..*/\1/p' "$work/repo/.env")" || fail "the dotenv file holds a dead key"
	fi
	b10lint receipt verify "$receipt" >"$work/out" 2>&1 || fail "the receipt does not hold"
	rm -rf "$work"
done
printf '%s kills (' "$done_"
for mode in revoke scan incident; do printf '%s %s, ' "$mode" "${of[$mode]:-0}"; done
printf '%s runs had ended first): %s with a journal begun, %s of them with some keys gone and some not, %s before any journal\n' "$late" "$open" "$part" "$early"
printf 'nothing lost, nothing outside the plan, every resume at the right end, every receipt holds\n'
