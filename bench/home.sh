#!/usr/bin/env bash
# Measures `b10lint scan --home` on a made home of 100,000 files, and counts what it
# opens of those outside its table when strace is at hand.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
go build -o "$tmp/b10lint" ./cmd/b10lint
mkdir "$tmp/home"
cd "$tmp/home"
awk 'BEGIN { for (i = 0; i < 1000; i++) print "src/p" i }' | xargs mkdir -p .config .claude .truss
awk 'BEGIN { for (i = 0; i < 100000; i++) { f = "src/p" (i % 1000) "/f" i ".env"; print "A_KEY=" i > f; close(f) } }'
printf '[baseten]\nremote_provider = baseten\n' >.trussrc
echo '{}' >.claude/settings.json
echo ls >.bash_history
chmod 600 .trussrc .claude/settings.json .bash_history
echo "$(find . -type f | wc -l) files"
for _ in 1 2 3 4 5; do
	start=$(date +%s%N)
	HOME=$tmp/home "$tmp/b10lint" scan --home >"$tmp/out"
	echo "scan --home: $((($(date +%s%N) - start) / 1000)) µs"
done
cat "$tmp/out"
if command -v strace >/dev/null; then
	HOME=$tmp/home strace -f -e trace=open,openat -o "$tmp/trace" "$tmp/b10lint" scan --home >/dev/null
	echo "opened below src: $(grep -c /home/src/ "$tmp/trace" || true)"
fi
