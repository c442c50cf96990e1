#!/bin/sh
# Installs the conveyor binary for this machine: checks its SHA-256, puts it into PREFIX/bin with its second name
# workerctl, and starts it once. Never needs root.
set -eu

usage() {
  cat <<'EOF'
usage: sh install.sh [--from BASE] [--prefix DIR] [-h]

  --from BASE    folder or URL that holds SHA256SUMS and TARGET/conveyor (default: $CONVEYOR_BASE, else the folder of
                 this script); https, or http on this machine only
  --prefix DIR   installs into DIR/bin (default: ~/.local)
EOF
}
fail() { printf 'install.sh: %s\n' "$*" >&2; exit 1; }
misuse() { usage >&2; printf 'install.sh: %s\n' "$*" >&2; exit 2; }

base=${CONVEYOR_BASE:-}
prefix=
while [ $# -gt 0 ]; do
  case $1 in
    --from | --prefix)
      [ -n "${2:-}" ] || misuse "$1 needs a value"
      if [ "$1" = --from ]; then base=$2; else prefix=$2; fi
      shift 2
      ;;
    -h | --help) usage; exit 0 ;;
    *) misuse "unknown argument: $1" ;;
  esac
done
[ -n "$prefix" ] || prefix=${HOME:?HOME is not set, give --prefix}/.local
if [ -z "$base" ]; then
  base=$(dirname -- "$0")
  [ -f "$base/SHA256SUMS" ] || misuse "there is no SHA256SUMS beside this script; say with --from where the release is"
fi

os=$(uname -s)
cpu=$(uname -m)
case $cpu in x86_64 | amd64) cpu=x64 ;; aarch64 | arm64) cpu=arm64 ;; *) fail "there is no binary for the processor $cpu" ;; esac
case $os in
  Linux)
    target=linux-$cpu
    if ! ls /lib64/ld-linux-* /lib/ld-linux-* >/dev/null 2>&1 && ls /lib/ld-musl-* >/dev/null 2>&1; then target=$target-musl; fi
    ;;
  Darwin)
    # A shell under Rosetta says x86_64 on a machine that is arm64.
    if [ "$(sysctl -n sysctl.proc_translated 2>/dev/null || echo 0)" = 1 ]; then cpu=arm64; fi
    target=darwin-$cpu
    ;;
  *) fail "there is no binary for $os" ;;
esac

work=$(mktemp -d "${TMPDIR:-/tmp}/conveyor-install.XXXXXX")
staged=
trap 'rm -rf "$work" ${staged:+"$staged"}' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# get NAME FILE: copies or downloads one file of the release.
get() {
  case $base in
    https://* | http://127.0.0.1[:/]* | http://localhost[:/]* | 'http://[::1]'[:/]*)
      if command -v curl >/dev/null 2>&1; then curl -fsSL -o "$2" -- "${base%/}/$1"
      elif command -v wget >/dev/null 2>&1; then wget -q -O "$2" -- "${base%/}/$1"
      else fail "neither curl nor wget is here to download with"; fi
      ;;
    http://*) fail "refused: $base is not encrypted and not on this machine" ;;
    file://*) cp -- "${base#file://}/$1" "$2" ;;
    *) cp -- "$base/$1" "$2" ;;
  esac || fail "$1 could not be had from $base"
}
sha256() {
  if command -v sha256sum >/dev/null 2>&1; then sha256sum <"$1"
  elif command -v shasum >/dev/null 2>&1; then shasum -a 256 <"$1"
  elif command -v openssl >/dev/null 2>&1; then openssl dgst -sha256 -r <"$1"
  else fail "no program to compute a SHA-256 with (sha256sum, shasum or openssl)"; fi | cut -d ' ' -f 1
}

sum_of() { awk -v name="$1" '$2 == name { print $1 }' "$work/SHA256SUMS"; }
# fetch NAME FILE: gets a file and holds it to its sum.
fetch() {
  get "$1" "$2"
  seen=$(sha256 "$2")
  [ "$seen" = "$(sum_of "$1")" ] || fail "$1 is not the file that SHA256SUMS names ($seen instead of $(sum_of "$1")); nothing was installed"
}

get SHA256SUMS "$work/SHA256SUMS"
[ -n "$(sum_of "$target/conveyor")" ] || fail "this release has no binary for $target"
fetch "$target/conveyor" "$work/conveyor"
if [ -n "$(sum_of conveyor.1)" ]; then fetch conveyor.1 "$work/conveyor.1"; fi

mkdir -p -- "$prefix/bin" || fail "$prefix/bin could not be made"
bin=$(cd -- "$prefix/bin" && pwd)
# Written beside its place and renamed, so that a running conveyor keeps its file and nobody ever sees half of one.
staged=$bin/.conveyor.$$
if ! cp -- "$work/conveyor" "$staged" || ! chmod 755 "$staged"; then fail "$bin could not be written to"; fi
version=$("$staged" --version) || fail "the binary for $target does not start on this machine; nothing was installed$([ "$os" = Darwin ] && echo ' (see whether codesign --verify accepts it)')"
mv -f -- "$staged" "$bin/conveyor"
staged=
ln -sf conveyor "$bin/workerctl"
if [ -f "$work/conveyor.1" ]; then
  manual=$(dirname -- "$bin")/share/man/man1
  if mkdir -p -- "$manual" && cp -- "$work/conveyor.1" "$manual/"; then ln -sf conveyor.1 "$manual/workerctl.1"; fi
fi

printf 'conveyor %s (%s) is installed in %s\n' "$version" "$target" "$bin"
case :$PATH: in
  *":$bin:"*) ;;
  *)
    printf '%s is not on your PATH. Add this line to the start file of your shell:\n' "$bin"
    # shellcheck disable=SC2016 # the shell that reads the line expands it
    case ${SHELL:-} in
      */fish) printf '  fish_add_path %s\n' "$bin" ;;
      *) printf '  export PATH="%s:$PATH"\n' "$bin" ;;
    esac
    ;;
esac
