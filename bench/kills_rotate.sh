#!/usr/bin/env bash
# Kills rotations with SIGKILL at random moments, against cmd/fakebaseten on loopback with random latency, and takes
# each up again; half of the resumed runs are killed, too. The forms are, in turns: two variables of one dotenv file
# with two sections of ~/.trussrc; a command, which cannot be read back, with a dotenv file; --everywhere; and
# --until-idle. At every moment it holds that
#   - each place holds a key that lives, whatever was killed (of a command's file, its last line);
#   - the old key lives until the journal says that its successor is in every place;
#   - no key but the old one and its successors is gone, and no file but the places holds a secret half.
# Every resume ends with status 0, the old key gone, one successor alone, the same in all places, other lines as they were.
# Usage: bench/kills_rotate.sh [KILLS] (300). Needs git and curl; some 2 s a kill. Not part of .ci/run.
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
"$top/fakebaseten" -keys 5 -usage-days 0 -latency 0s-60ms -o env >"$top/env" &
fake=$!
until [ -s "$top/env" ]; do sleep 0.1; done
set -a
# shellcheck disable=SC1091
. "$top/env"
set +a
# No other program's stores, and no settings of the user's.
mkdir "$top/bin" "$top/home"
printf '#!/bin/sh\necho "error: current-context is not set" >&2\nexit 1\n' >"$top/bin/kubectl"
chmod +x "$top/bin/kubectl"
export HOME=$top/home PATH=$top/bin:$PATH USER_TRUSSRC_PATH=
unset USER_TRUSSRC_PATH XDG_STATE_HOME
fail() {
	printf 'kills_rotate.sh: kill %s of %s, %s: %s\n' "$done_" "$kills" "$mode" "$*" >&2
	cat "$work/out" "$work"/journal/* >&2 || true
	exit 1
}
list() { curl -fsS -H "Authorization: Bearer $BASETEN_API_KEY" "$BASETEN_MANAGEMENT_API_URL_OVERRIDE/v1/api_keys" >"$work/list"; }
lives() { grep -q "\"prefix\":\"$1\"" "$work/list"; }
make() { "$top/b10lint" keys create --type workspace-manage-all --name "$1" 2>/dev/null; }

# held prints the keys that the places hold, one a line.
held() {
	case $mode in
	files) sed -n 's/^BASETEN_API_KEY=//p; s/^export OTHER="\(.*\)" # mine$/\1/p' "$work/.env" && sed -n 's/^api_key = //p' "$HOME/.trussrc" ;;
	command) tail -1 "$work/taken" && sed -n 's/^BASETEN_API_KEY=//p' "$work/.env" ;;
	everywhere) sed -n 's/^BASETEN_API_KEY=//p' "$work/.env" && sed -n 's/^api_key = //p' "$HOME/.trussrc" ;;
	idle) sed -n 's/^BASETEN_API_KEY=//p' "$work/.env" ;;
	esac
}

# check holds what has to hold at any moment.
check() {
	list
	local key file
	for key in $(held); do lives "${key%%.*}" || fail "$1: a place holds ${key%%.*}, which is gone"; done
	lives "$decoy" || fail "$1: $decoy is gone, which no one named"
	lives "$prefix" || grep -qs '"step":"checked"' "$work"/journal/* || fail "$1: the old key is gone, and its successor was not checked"
	for key in "$old" $(held); do
		file=$(grep -lF "${key#*.}" "$work"/journal/* "$work/out" "$work/list" 2>/dev/null || true)
		[ -z "$file" ] || fail "$1: a secret half is in $file"
	done
	file=$(find "$work/journal" -type f -perm /077 2>/dev/null || true)
	[ -z "$file" ] || fail "$1: others can read $file"
}

# killed runs b10lint and kills it after a random time up to so many milliseconds, or while its journal is open;
# it fails when the run had ended before.
killed() {
	local most=$1 run ended=0 after
	shift
	(cd "$work" && exec "$top/b10lint" "$@" >"$work/out" 2>&1) &
	run=$!
	after=$((RANDOM * 32768 + RANDOM))
	if [ $((RANDOM % 2)) = 0 ]; then
		for _ in $(seq 400); do
			! compgen -G "$work/journal/*" >/dev/null && kill -0 "$run" 2>/dev/null || break
			sleep 0.002
		done
		most=$((most / 2))
	fi
	after=$((after % most))
	sleep "$((after / 1000)).$(printf %03d $((after % 1000)))"
	kill -9 "$run" 2>/dev/null || true
	wait "$run" 2>/dev/null || ended=$?
	[ $ended = 137 ]
}

n=0 done_=0 begun=0 checked=0 early=0 late=0 twice=0
declare -A span=([files]=900 [command]=900 [everywhere]=1500 [idle]=1200) of
while [ "$done_" -lt "$kills" ]; do
	n=$((n + 1))
	mode=$(printf 'files command everywhere idle' | cut -d' ' -f$((n % 4 + 1)))
	work=$top/$n
	mkdir -p "$work"
	git -C "$work" init -q
	printf '.env\ntaken\nout\nlist\njournal\n' >"$work/.gitignore"
	old=$(make "key-$n")
	prefix=${old%%.*}
	decoy=$(make "decoy-$n")
	decoy=${decoy%%.*}
	printf '# mine\nBASETEN_API_KEY=%s\nexport OTHER="%s" # mine\nLAST=1\n' "$old" "$old" >"$work/.env"
	[ $mode = files ] || sed -i /OTHER/d "$work/.env"
	printf '[one]\nremote_provider = baseten\napi_key = %s\n[two]\nremote_provider = baseten\napi_key = %s\n' "$old" "$old" >"$HOME/.trussrc"
	printf '%s\n' "$old" >"$work/taken"
	[ $mode != everywhere ] || rm "$work/taken"
	chmod 600 "$work/.env" "$HOME/.trussrc"
	common=("$prefix" --yes --journal "$work/journal")
	case $mode in
	files) args=(rotate "${common[@]}" --to-dotenv .env --to-dotenv .env --variable BASETEN_API_KEY --variable OTHER --to-trussrc one --to-trussrc two) ;;
	command) args=(rotate "${common[@]}" --exec 'cat >> taken && echo >> taken' --to-dotenv .env) ;;
	everywhere) args=(rotate "${common[@]}" --everywhere --force-active) ;;
	idle) args=(rotate "${common[@]}" --to-dotenv .env --until-idle 300ms) ;;
	esac
	began=$(date +%s%N)
	if killed "${span[$mode]}" "${args[@]}"; then
		done_=$((done_ + 1))
		of[$mode]=$((${of[$mode]:-0} + 1))
	else # it had come to its end: kill earlier
		late=$((late + 1))
		took=$((($(date +%s%N) - began) / 1000000))
		span[$mode]=$((took > 100 ? took : 100))
	fi
	check "after the kill"
	if grep -qs '"step":"checked"' "$work"/journal/*; then checked=$((checked + 1)); fi
	again=("${args[@]}")
	if grep -qs '"step":"begin".*}$' "$work"/journal/*; then
		begun=$((begun + 1))
		again=(rotate --resume "$work/journal/rotate-$prefix.jsonl")
		if [ $((RANDOM % 2)) = 0 ] && killed 600 "${again[@]}"; then
			twice=$((twice + 1))
			done_=$((done_ + 1))
			check "after the kill of a resume"
		fi
	else
		early=$((early + 1))
	fi
	status=0
	(cd "$work" && "$top/b10lint" "${again[@]}" >"$work/out" 2>&1) || status=$?
	[ $status -eq 0 ] || fail "the resume ended with $status"
	check "after the resume"
	lives "$prefix" && fail "the old key still lives"
	[ "$(held | sort -u | wc -l)" = 1 ] || fail "the places hold different keys"
	[ "$(held | sort -u)" != "$old" ] || fail "the places hold the old key"
	[ "$(grep -o "\"name\":\"key-$n-r[^\"]*" "$work/list" | wc -l)" = 1 ] || fail "there is not one successor"
	[ "$(sed -n '1p;$p' "$work/.env" | tr '\n' ' ')" = '# mine LAST=1 ' ] || fail "other lines of the dotenv file changed"
	[ "$(stat -c %a "$work/.env" "$HOME/.trussrc" | sort -u)" = 600 ] || fail "the mode of a file changed"
	rm -rf "$work"
done
printf '%s kills (' "$done_"
for mode in files command everywhere idle; do printf '%s %s, ' "$mode" "${of[$mode]:-0}"; done
printf '%s of resumed runs; %s runs had ended first): %s with a journal begun, %s of them with the successor in place, %s before any journal\n' \
	"$twice" "$late" "$begun" "$checked" "$early"
printf 'nothing lost, nothing outside the plan, every resume at the right end\n'
