#!/usr/bin/env bash
# Hides one made-up key in each of many places of a repository and says which of
# them b10lint finds, and which gitleaks does with a rule for exactly this form
# (archives and decoding turned on; its git and folder modes together). Prints the
# table of docs/comparison.md. Needs Go, git, gitleaks, tar, xz, zip, iconv.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
export HOME=$tmp GIT_CONFIG_NOSYSTEM=1 GOFLAGS=-modcacherw
(cd "$root" && go build -o "$tmp/b10lint" ./cmd/b10lint)
random() { LC_ALL=C tr -dc 'A-Za-z0-9' </dev/urandom 2>/dev/null | head -c "$1" || true; }

work=$tmp/work
git init -q -b main "$work"
cd "$work"
git config user.name me
git config user.email me@example.invalid
names=() prefixes=() secrets=()
# plant NAME: a new key in $key.
plant() {
	names+=("$1")
	prefixes+=("b10_$(random 8)")
	secrets+=("$(random 32)")
	key=${prefixes[-1]}.${secrets[-1]}
}
commit() { git add -A && git commit -q --allow-empty -m "${1:-change}"; }

commit start
plant "file"; echo "k = '$key'" >plain.py
plant "deleted in history"; echo "k = '$key'" >gone.py; commit; git rm -q gone.py; commit
plant "commit message"; commit "use $key"
plant "tag message"; git tag -a v1 -m "with $key"
plant "git note"; git notes add -m "note $key"
plant "stash"; echo "k = '$key'" >plain2.py; git add plain2.py; git stash -q
plant "merge that adds a line of its own"
git checkout -q -b side; echo side >side; commit; git checkout -q main; echo main >main; commit
git merge -q --no-commit side; echo "k = '$key'" >evil.py; git add evil.py; git commit -q -m merge; git rm -q evil.py; commit
plant "commit that only the reflog knows"; echo "k = '$key'" >lost.py; commit; git reset -q --hard HEAD~1
plant "object that nothing refers to"; echo "k = '$key'" | git hash-object -w --stdin >/dev/null
plant "UTF-16 file"; echo "k = '$key'" | iconv -t UTF-16 >wide.txt
plant "NUL byte in the file"; printf 'x\0y\nk = %s\n' "$key" >nul.dat
plant "path with -diff"; echo "*.env -diff" >.gitattributes; echo "K=$key" >some.env
plant "base64"; printf 'k: %s\n' "$(printf 'Bearer %s' "$key" | base64 -w0)" >encoded.yaml
plant "hexadecimal"; printf 'k: %s\n' "$(printf '%s' "$key" | od -An -tx1 | tr -d ' \n')" >hex.yaml
plant "gzip"; echo "k = '$key'" | gzip >k.gz
plant "zip in a zip"; echo "k = '$key'" >in.txt; zip -q inner.zip in.txt; zip -q outer.zip inner.zip; rm in.txt inner.zip
plant "tar.xz"; echo "k = '$key'" >in.txt; tar -cJf k.tar.xz in.txt; rm in.txt
plant "notebook output"; printf '{"cells":[{"cell_type":"code","source":[],"outputs":[{"output_type":"stream","text":["%s\\n"]}]}],"nbformat":4,"nbformat_minor":5,"metadata":{}}' "$key" >run.ipynb
plant "put together in code"; printf 'k = "%s" + "." + "%s"\n' "${prefixes[-1]}" "${secrets[-1]}" >joined.py
plant "end of an 18 MB file"; { head -c 18000000 /dev/zero | tr '\0' 'x'; printf '\nk = %s\n' "$key"; } >large.log
commit
plant "untracked file"; echo "k = '$key'" >untracked.py
plant "address in .git/config, as a target"; git remote add origin "https://user:$key@example.invalid/x.git"

"$tmp/b10lint" scan -f "json=$tmp/ours.json" . || true
"$tmp/b10lint" scan -f "json=$tmp/config.json" .git/config || true
cat >"$tmp/rule.toml" <<'TOML'
[[rules]]
id = "b10"
regex = '''b10_[A-Za-z0-9]{8}\.[A-Za-z0-9]{32}'''
TOML
for mode in git dir; do
	gitleaks "$mode" --config "$tmp/rule.toml" --max-archive-depth 4 --max-decode-depth 4 --log-level error --exit-code 0 -f json -r "$tmp/gitleaks-$mode.json" .
done
echo "| a key in | b10lint | gitleaks, with a rule for it |"
echo "|---|---|---|"
for i in "${!names[@]}"; do
	ours=no theirs=no
	if grep -q "${prefixes[$i]}" "$tmp/ours.json" "$tmp/config.json"; then ours=yes; fi
	if grep -q "${prefixes[$i]}" "$tmp"/gitleaks-*.json; then theirs=yes; fi
	echo "| ${names[$i]} | $ours | $theirs |"
done
