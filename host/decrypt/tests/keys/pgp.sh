#!/usr/bin/env bash
# Makes the files beside it that begin with pgp- anew: private keys without a passphrase, and the text
# "0123456789abcdef0123456789abcdef" encrypted to each as SOPS does it. Made with gpg 2.2.40. The keys are for nothing else.
set -euo pipefail
out=$(cd "$(dirname "$0")" && pwd)
export GNUPGHOME=$(mktemp -d)
trap 'gpgconf --kill all; rm -rf "$GNUPGHOME"' EXIT
quiet() { gpg -q --batch --yes --trust-model always --pinentry-mode loopback --passphrase '' "$@"; }
for pair in rsa:rsa2048:rsa2048 curve:ed25519:cv25519 p256:nistp256:nistp256; do
  IFS=: read -r name sign encrypt <<< "$pair"
  quiet --quick-generate-key "$name" "$sign" sign never
  fingerprint=$(gpg -q --with-colons --list-keys "=$name" | awk -F: '$1 == "fpr" { print $10; exit }')
  quiet --quick-add-key "$fingerprint" "$encrypt" encrypt never
  quiet --armor --export-secret-keys "$name" > "$out/pgp-$name.asc"
  printf 0123456789abcdef0123456789abcdef | quiet --no-default-recipient --armor --encrypt -r "$name" > "$out/pgp-$name.message"
done
head -c 100000 /dev/zero | quiet --armor --encrypt -r rsa > "$out/pgp-bomb.message"
