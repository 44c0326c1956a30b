#!/usr/bin/env bash
# Records "b10lint scan --revoke" in a terminal, against the made-up Baseten of
# internal/baseten/basetentest, and puts the screen into docs/incident.md. With --check it
# compares instead, and fails when the page shows something else than the program.
# It needs Go, git and tmux, talks to this machine only, and takes some ten seconds.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
page=$root/docs/incident.md

tmp=$(mktemp -d)
server=
finish() {
	tmux -S "$tmp/tmux" kill-server 2>/dev/null || true
	[ -z "$server" ] || kill "$server" 2>/dev/null || true
	rm -rf "$tmp"
}
trap finish EXIT
fail() { printf 'incident.sh: %s\n' "$*" >&2; exit 1; }
command -v tmux >/dev/null || fail "tmux is needed"

# shellcheck source=organisation.sh
. "$root/docs/record/organisation.sh"

# The organisation, with a key that deploys.
organisation -seed 8 -keys 0 -usage-days 0
b10lint keys create --type workspace-manage-all --name ci-deploy >"$tmp/key" 2>/dev/null

# The repository that it leaked into.
repo=$tmp/acme-app
mkdir -p "$repo/app"
printf 'import truss\n\ntruss.login("%s")\n' "$(cat "$tmp/key")" >"$repo/app/deploy.py"
git -C "$repo" init -q -b main
git -C "$repo" add .
# The commit's id is in what is shown, and the made key is the same each time.
GIT_AUTHOR_DATE=2026-11-21T12:00:00Z GIT_COMMITTER_DATE=2026-11-21T12:00:00Z \
	git -C "$repo" -c user.name=Dev -c user.email=dev@example.com commit -q -m "deploy from a script"

# The terminal. tmux shows what a person would see.
screen() { tmux -S "$tmp/tmux" "$@"; }
screen -f /dev/null new-session -d -x 100 -y 60 -c "$repo" \
	"env PS1='\$ ' NO_COLOR=1 bash --norc --noprofile"
wait_for() {
	for _ in $(seq 150); do
		screen capture-pane -p -J | grep -qE "$1" && return
		sleep 0.1
	done
	screen capture-pane -p -J >&2
	fail "the terminal never showed: $1"
}
wait_for '^\$ '
screen send-keys 'b10lint scan --revoke --receipt ../receipt.md' Enter
wait_for 'Type 1 to revoke: '
screen send-keys '1' Enter
wait_for '^[0-9]+ findings? .*Scanned |^Nothing found'
wait_for '^\$ *$'
screen capture-pane -p -J >"$tmp/raw"

half=$(cut -d. -f2 "$tmp/key")
for at in $(seq 0 24); do
	! grep -qF "${half:$at:8}" "$tmp/raw" "$tmp/receipt.md" || fail "the recording shows a part of the key"
done
[ "$(b10lint keys list -q '[.keys[].name] | join(" ")')" != "" ] || fail "the list is empty"
! b10lint keys list | grep -q ci-deploy || fail "the key is not revoked"

# What differs from run to run: addresses, moments, the journal's name. Empty lines
# at the end and trailing blanks go.
sed -E \
	-e "s|$BASETEN_MANAGEMENT_API_URL_OVERRIDE|https://api.baseten.co|g" \
	-e "s|$tmp/home|~|g" \
	-e 's/[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z/2026-11-21T12:00:00Z/g' \
	-e 's/[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}/2026-11-21 12:00/g' \
	-e 's/[0-9]{4}-[0-9]{2}-[0-9]{2}/2026-11-21/g' \
	-e 's/revoke-[0-9]{8}-[0-9]{6}-[a-z0-9]{6}/revoke-20261121-120000-abc234/g' \
	-e 's/head [0-9a-f]{64}/head 9f4e…/' \
	-e 's/in [0-9.]+ ?m?s\b/in 0.1s/g' \
	-e 's/[[:space:]]+$//' "$tmp/raw" |
	sed -e :a -e '/^\n*$/{$d;N;ba' -e '}' | sed -e '${/^\$$/d}' >"$tmp/recording"

{
	sed '/^<!-- recording: begin/q' "$page"
	printf '\n```console\n'
	cat "$tmp/recording"
	printf '```\n\n'
	sed -n '/^<!-- recording: end/,$p' "$page"
} >"$tmp/page"

if [ "${1-}" = --check ]; then
	diff -u "$page" "$tmp/page" || fail "docs/incident.md shows something else; run docs/record/incident.sh"
else
	cp "$tmp/page" "$page"
fi
