#!/usr/bin/env bash
# Makes the files beside it anew: commits and tags signed by git with gpg and ssh-keygen, and the public keys.
# The keys are thrown away, so all files change. Times are fixed; the tests know none but the year.
# Made with git 2.39, gpg 2.2.40, ssh-keygen 9.2.
set -euo pipefail
out=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'gpgconf --kill all 2>/dev/null || true; rm -rf "$work"' EXIT
export GNUPGHOME=$work/gnupg GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null
export GIT_AUTHOR_NAME=Ada GIT_AUTHOR_EMAIL=ada@example.com GIT_COMMITTER_NAME=Ada GIT_COMMITTER_EMAIL=ada@example.com
export GIT_AUTHOR_DATE='1700000000 +0000' GIT_COMMITTER_DATE='1700000000 +0000'
mkdir -m 700 "$GNUPGHOME"
rm -f "$out"/*.commit "$out"/*.tag "$out"/*.asc "$out"/*.sshpub
cd "$work" && git init -q -b main repo && cd repo
printf 'a: 1\n' > a.yaml && git add a.yaml

made=20230101T000000 signed=20231114T221320
at() { local time=$1; shift; gpg -q --batch --yes --pinentry-mode loopback --passphrase '' --faked-system-time "$time!" "$@"; }
# wrapper OPTIONS: what git calls in place of gpg
wrapper() {
  printf '#!/bin/sh\nexec gpg -q --batch --faked-system-time %s! --pinentry-mode loopback --passphrase "" %s "$@"\n' "${when:-$signed}" "$*" > "$work/wrapper"
  chmod +x "$work/wrapper"
}
fingerprint() { gpg -q --with-colons --list-keys "=$1" | awk -F: '$1 == "fpr" { print $10; exit }'; }
# pgp NAME KEY OPTIONS: a commit signed by KEY
pgp() {
  local name=$1 key=$2; shift 2; wrapper "$@"
  git -c gpg.program="$work/wrapper" -c user.signingkey="$key" commit -q --allow-empty -S -m "signed: $name"
  git cat-file commit HEAD > "$out/$name.commit"; git update-ref -d HEAD
}
pgp_tag() {
  local name=$1 key=$2; wrapper
  git commit -q --allow-empty -m unsigned
  git -c gpg.program="$work/wrapper" -c user.signingkey="$key" tag -s v1.0.0 -m release
  git cat-file tag v1.0.0 > "$out/$name.tag"; git cat-file commit HEAD > "$out/unsigned.commit"
  git tag -d v1.0.0 > /dev/null; git update-ref -d HEAD
}
export_key() { gpg -q --armor --export "$2" > "$out/$1.asc"; }
# key NAME ALGORITHM USAGE [EXPIRES]
key() { at $made --quick-generate-key "$1" "$2" "$3" "${4:-never}"; }

for pair in ed25519:ed25519 rsa:rsa3072 p256:nistp256 p384:nistp384 rsa1024:rsa1024 dsa:dsa2048; do
  name=pgp-${pair%%:*}; key "$name" "${pair##*:}" sign
  pgp "$name" "$name"; export_key "$name" "$name"
done
pgp_tag pgp-ed25519 pgp-ed25519

key pgp-subkey rsa2048 cert
at $made --quick-add-key "$(fingerprint pgp-subkey)" ed25519 sign
pgp pgp-subkey pgp-subkey; export_key pgp-subkey pgp-subkey
subkey=$(gpg -q --with-colons --list-keys =pgp-subkey | awk -F: '$1 == "sub" { print $5 }')
printf 'key %s\nrevkey\ny\n0\n\ny\nsave\n' "$subkey" | at $signed --no-batch --no-tty --command-fd 0 --edit-key pgp-subkey
cp "$out/pgp-subkey.commit" "$out/pgp-revoked-subkey.commit"; export_key pgp-revoked-subkey pgp-subkey

key pgp-expired ed25519 sign 20240101T000000
pgp pgp-expired pgp-expired; export_key pgp-expired pgp-expired
at 20231201T000000 --quick-set-expire "$(fingerprint pgp-expired)" never
cp "$out/pgp-expired.commit" "$out/pgp-renewed.commit"; export_key pgp-renewed pgp-expired

key pgp-revoked ed25519 sign
pgp pgp-revoked pgp-revoked
printf 'y\n0\n\ny\n' | at $signed --no-batch --no-tty --command-fd 0 --gen-revoke pgp-revoked > "$work/revocation"
at $signed --import "$work/revocation"; export_key pgp-revoked pgp-revoked

pgp pgp-sha1 pgp-rsa --digest-algo SHA1 --weak-digest MD5
pgp pgp-expired-signature pgp-rsa --default-sig-expire 1d
pgp pgp-critical-notation pgp-rsa --sig-notation '!test@example.com=x'
when=20900101T000000 pgp pgp-future pgp-rsa
when=20220101T000000 pgp pgp-older-than-key pgp-rsa --ignore-time-conflict --ignore-valid-from

# ssh NAME TYPE BITS
ssh() {
  local name=$1; ssh-keygen -q -t "$2" -b "$3" -N '' -C "$name" -f "$work/$name"
  cp "$work/$name.pub" "$out/$name.sshpub"
  git -c gpg.format=ssh -c user.signingkey="$work/$name" -c gpg.ssh.program="${program:-ssh-keygen}" commit -q --allow-empty -S -m "signed: $name"
  git cat-file commit HEAD > "$out/$name.commit"; git update-ref -d HEAD
}
ssh ssh-ed25519 ed25519 256
ssh ssh-p256 ecdsa 256
ssh ssh-p384 ecdsa 384
ssh ssh-p521 ecdsa 521
ssh ssh-rsa rsa 3072
ssh ssh-rsa1024 rsa 1024
printf '#!/bin/sh\nset -- $(printf "%%s " "$@" | sed "s/-n git /-n file /")\nexec ssh-keygen "$@"\n' > "$work/other" && chmod +x "$work/other"
program=$work/other ssh ssh-namespace ed25519 256
git commit -q --allow-empty -m unsigned
git -c gpg.format=ssh -c user.signingkey="$work/ssh-ed25519" tag -s v1.0.0 -m release
git cat-file tag v1.0.0 > "$out/ssh-ed25519.tag"
git tag -d v1.0.0 > /dev/null; git update-ref -d HEAD
# a commit, and a tag of it, by one key
ssh-keygen -q -t ed25519 -N '' -C ssh-both -f "$work/ssh-both" && cp "$work/ssh-both.pub" "$out/ssh-both.sshpub"
both() { git -c gpg.format=ssh -c user.signingkey="$work/ssh-both" "$@"; }
both commit -q --allow-empty -S -m "signed: ssh-both" && both tag -s v1.0.0 -m release
git cat-file commit HEAD > "$out/ssh-both.commit"; git cat-file tag v1.0.0 > "$out/ssh-both.tag"
ls -l "$out" | wc -l
