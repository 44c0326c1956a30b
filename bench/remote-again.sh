#!/usr/bin/env bash
# What a second scan of a repository on a server moves, after no new commit, 10 and 500,
# against git fetch in a mirror clone of then:
#
#	bench/remote-again.sh REPOSITORY.git...
#
# Each bare repository must have been clean of keys. It is served by git http-backend on
# loopback, with its history cut at the default branch N commits ago; then the branch moves
# on. The bytes are those that the server sends, counted by bench/gitserve. They do not
# depend on the machine.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
tmp=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$tmp"' EXIT
(cd "$here" && go build -o "$tmp/b10lint" ./cmd/b10lint && go build -o "$tmp/gitserve" ./bench/gitserve)
mkdir "$tmp/root"
"$tmp/gitserve" "$tmp/root" >"$tmp/served" &
server=$!
while [ ! -s "$tmp/served" ]; do sleep 0.1; done
url=$(head -1 "$tmp/served")/app.git

sent() { # what the server has sent up to now, in bytes
	awk '$1 == "sent" { n = $2 } END { print n + 0 }' "$tmp/served"
}
moved() { # COMMAND...: the bytes that it has the server send
	local before
	before=$(sent)
	"$@" >/dev/null 2>&1 || [ $? -eq 1 ]
	sleep 0.2
	echo $(($(sent) - before))
}

for repository; do
	tip=$(git -C "$repository" rev-parse HEAD)
	echo "$(basename "$repository")"
	for n in 0 10 500; do
		rm -rf "$tmp/root/app.git" "$tmp/mirror.git" "$tmp/state"
		git init -q --bare -b main "$tmp/root/app.git"
		old=$(git -C "$repository" rev-list --first-parent HEAD | sed -n "$((n + 1))p")
		git -C "$repository" push -q "$tmp/root/app.git" "$old:refs/heads/main"
		git clone -q --mirror "$url" "$tmp/mirror.git"
		whole=$(moved "$tmp/b10lint" scan -q --state "$tmp/state" "$url")
		git -C "$repository" push -q "$tmp/root/app.git" "$tip:refs/heads/main"
		fetch=$(moved git -C "$tmp/mirror.git" fetch -q)
		again=$(moved "$tmp/b10lint" scan -q --state "$tmp/state" "$url")
		awk -v n="$n" -v w="$whole" -v f="$fetch" -v a="$again" 'BEGIN {
			printf "  after %3d commits: scan %9d bytes (the first %d), git fetch %9d, ratio %.2f\n", n, a, w, f, a / f }'
	done
done
