#!/usr/bin/env bash
# Records docs/walks.md: runs each line of its console blocks that begins with "$ " in a
# terminal of 96 columns, in a fresh folder and home, against the made-up Baseten of
# internal/baseten/basetentest, and puts what is shown below the line. "<!-- walk: NAME -->"
# prepares the folder. It needs Go, git, jq and script (util-linux), and talks to this machine
# only. With FILE it writes there instead.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
page=$root/docs/walks.md
out=${1:-$page}
tmp=$(mktemp -d)
server=
finish() {
	[ -z "$server" ] || kill "$server" 2>/dev/null || true
	rm -rf "$tmp"
}
trap finish EXIT

# shellcheck source=organisation.sh
. "$root/docs/record/organisation.sh"
organisation -seed 5 -keys 3 -usage-days 0
admin=$BASETEN_API_KEY
export NO_COLOR=1 TERM=dumb GIT_CONFIG_NOSYSTEM=1 PAGER=cat GIT_PAGER=cat

key() { BASETEN_API_KEY=$admin b10lint keys create --type workspace-manage-all --name "$1" 2>/dev/null; }

# fresh NAME: an empty folder, and the home of a person of this name.
fresh() {
	cd "$tmp"
	rm -rf "$tmp/home" "$tmp/code"
	mkdir -p "$tmp/home" "$tmp/code"
	git config --global init.defaultBranch main
	git config --global user.name "$1"
	git config --global user.email "${1,,}@example.com"
	git config --global advice.detachedHead false
	cd "$tmp/code"
}

# A notebook that printed its environment, and a truss with the same key in two files.
walk_notebook() {
	fresh Ada
	unset BASETEN_API_KEY
	local k
	k=$(key ada-notebook)
	mkdir -p whisper/model
	printf 'model_name: whisper\nenvironment_variables:\n  BASETEN_API_KEY: %s\nsecrets:\n  hf_token: null\n' "$k" >whisper/config.yaml
	printf 'class Model:\n    def predict(self, x):\n        return x\n' >whisper/model/model.py
	printf 'BASETEN_API_KEY=%s\n' "$k" >whisper/.env.local
	jq -n --arg k "$k" '{nbformat: 4, nbformat_minor: 5, metadata: {}, cells: [{cell_type: "code", execution_count: 1, metadata: {},
		source: ["import os\n", "os.environ"], outputs: [{output_type: "execute_result", execution_count: 1, metadata: {},
		data: {"text/plain": ["environ({\u0027BASETEN_API_KEY\u0027: \u0027" + $k + "\u0027})"]}}]}]}' >explore.ipynb
	git init -q
}

# Mirrors of forty repositories: old keys in some, one that works in two.
walk_platform() {
	fresh Ben
	export BASETEN_API_KEY=$admin
	local live n r old=()
	live=$(key deploy-prod)
	for n in 1 2 3 4; do
		old+=("$(key "old-$n")")
		b10lint keys delete --name "old-$n" --yes >/dev/null 2>&1
	done
	for n in $(seq -w 40); do
		r=$tmp/code/src/service-$n
		git init -q "$r"
		printf 'import os\n\nkey = os.environ["BASETEN_API_KEY"]\n' >"$r/app.py"
		case $n in
		07 | 19) printf 'key = "%s"\n' "$live" >"$r/deploy.py" ;;
		03) printf 'key = "%s"\n' "${old[0]}" >"$r/settings.py" ;;
		11) printf 'key = "%s"\n' "${old[1]}" >"$r/batch.py" ;;
		12) printf 'BASETEN_API_KEY=%s\n' "${old[2]}" >"$r/.env" ;;
		23) printf 'curl -H "Authorization: Api-Key %s" https://api.baseten.co/v1/models\n' "${old[3]}" >"$r/run.sh" ;;
		esac
		git -C "$r" add .
		git -C "$r" commit -q -m "service $n"
		case $n in 03 | 12)
			git -C "$r" rm -q --ignore-unmatch settings.py .env
			git -C "$r" commit -q -m "no key in the repository"
			;;
		esac
		git clone -q --mirror "$r" "mirrors/service-$n.git"
	done
	git clone -q src/service-11 service-11
	rm -rf src
	cat >branch.patch <<-END
		--- a/.b10lint.yaml
		+++ b/.b10lint.yaml
		@@ -1 +1,2 @@
		 baseline: .b10lint-baseline.json
		+accept: [{prefix: ${live%%.*}, reason: needed until Friday}]
		--- a/app.py
		+++ b/app.py
		@@ -1,3 +1,3 @@
		 import os
		 
		-key = os.environ["BASETEN_API_KEY"]
		+key = "$live"
	END
}

# A repository with a key that works, and nothing else known.
walk_oncall() {
	fresh Chi
	export BASETEN_API_KEY=$admin
	mkdir -p acme-app/app
	cd acme-app
	git init -q
	local k
	k=$(key ci-deploy)
	sleep 1 # the commit is younger than the key
	printf 'import truss\n\ntruss.login("%s")\n' "$k" >app/deploy.py
	git add .
	git commit -q -m "deploy from a script"
	git rm -q app/deploy.py
	git commit -q -m "no key in the repository"
	git update-ref refs/remotes/origin/main HEAD
}

# shown LINE: what a terminal shows of it. Answers to questions are on standard input.
shown() {
	script -qc "stty cols 96; $1" /dev/null </dev/null |
		tr -d '\r' | sed -E "s/\x1b\[[0-9;?]*[A-Za-z]//g; s/ in [0-9.]+(µs|ms|s)\./\./; s#$tmp/home#~#g; s#$tmp/code#~/code#g; s#http://127\.0\.0\.1:[0-9]+#https://api.baseten.co#g" |
		sed -e '/^Script \(started\|done\)/d' -e 's/[ \t]*$//' | cat -s
}

inside=
while IFS= read -r line; do
	if [[ $line =~ ^'<!-- walk: '([a-z]+)' -->'$ ]]; then
		"walk_${BASH_REMATCH[1]}"
	fi
	case $line in
	'```console') inside=1 ;;
	'```') inside= ;;
	esac
	if [ -z "$inside" ] || [ "$line" = '```console' ]; then
		printf '%s\n' "$line"
	elif [[ $line == '$ cd '* ]]; then
		printf '%s\n' "$line"
		cd "${line#'$ cd '}"
	elif [[ $line == '$ '* ]]; then
		printf '%s\n' "$line"
		shown "${line#'$ '}"
	fi
done <"$page" >"$tmp/page"
cp "$tmp/page" "$out"
