#!/usr/bin/env bash
# Takes docs/audit.png: the page of "b10lint audit -f html" about the made-up Baseten
# of internal/baseten/basetentest, as Chromium shows it. It needs Go and Chromium and talks to
# this machine only.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

tmp=$(mktemp -d)
server=
finish() {
	[ -z "$server" ] || kill "$server" 2>/dev/null || true
	rm -rf "$tmp"
}
trap finish EXIT
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome) || {
	echo "audit.sh: Chromium is needed" >&2
	exit 1
}

# shellcheck source=organisation.sh
. "$root/docs/record/organisation.sh"
organisation -seed 11 -keys 14

# Two keys that leaked: one into a script that was committed, one into a notebook.
repo=$tmp/acme-app
mkdir -p "$repo/app"
made() { b10lint keys create --type "$1" --name "$2" 2>/dev/null; }
printf 'import truss\n\ntruss.login("%s")\n' "$(made workspace-manage-all ci-deploy)" >"$repo/app/deploy.py"
printf '{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [{"cell_type": "code", "metadata": {}, "source": ["print(key)"], "outputs": [{"output_type": "stream", "name": "stdout", "text": ["%s\\n"]}]}]}\n' \
	"$(made personal demo)" >"$repo/demo.ipynb"
git -C "$repo" init -q -b main
git -C "$repo" add .
git -C "$repo" -c user.name=Dev -c user.email=dev@example.com commit -q -m "deploy from a script"
(cd "$repo" && b10lint audit -q --scan . -f "html=$tmp/audit.html") || [ $? = 1 ]
"$browser" --headless --no-sandbox --disable-gpu --hide-scrollbars --user-data-dir="$tmp/profile" \
	--window-size=1200,1080 --screenshot="$root/docs/audit.png" "file://$tmp/audit.html" 2>/dev/null
