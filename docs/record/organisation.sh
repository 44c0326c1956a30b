# Sourced by the recordings: builds b10lint and the made-up Baseten of
# internal/baseten/basetentest into $tmp/bin, and starts the latter.

# organisation FLAG...: start it, put its address and an admin's key into the
# environment, and b10lint into PATH. The caller stops $server.
organisation() {
	mkdir "$tmp/bin" "$tmp/home"
	(cd "$root" && go build -o "$tmp/bin/" ./cmd/b10lint ./cmd/fakebaseten)
	: >"$tmp/fake.env"
	"$tmp/bin/fakebaseten" "$@" -o env >"$tmp/fake.env" &
	server=$!
	for _ in $(seq 100); do
		[ "$(wc -l <"$tmp/fake.env")" -lt 3 ] || break
		sleep 0.1
	done
	set -a
	# shellcheck disable=SC1091
	. "$tmp/fake.env"
	set +a
	export HOME=$tmp/home PATH=$tmp/bin:$PATH
}
