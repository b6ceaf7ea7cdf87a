#!/bin/sh
# Installs what the tests need from the system, only what is missing. Without apt it says what is skipped.
set -eu

packages=""
need() { # need PACKAGE PROGRAM...: any of the programs will do
  package=$1
  shift
  for program in "$@"; do
    command -v "$program" >/dev/null 2>&1 && return
  done
  packages="$packages $package"
}

PATH="$PATH:/usr/sbin:/sbin"
for folder in /usr/lib/postgresql/*/bin; do # Debian keeps the server's programs off the path
  PATH="$PATH:$folder"
done
need chromium chromium chromium-browser google-chrome
need iproute2 ip
need util-linux nsenter
need postgresql pg_ctl
need spin spin
need "gcc libc6-dev" cc gcc clang

[ -n "$packages" ] || exit 0
if ! command -v apt-get >/dev/null 2>&1; then
  echo "No apt here. The tests that need these packages are skipped:$packages" >&2
  exit 0
fi
sudo=""
if [ "$(id -u)" != 0 ]; then
  if ! command -v sudo >/dev/null 2>&1; then
    echo "Neither root nor sudo. The tests that need these packages are skipped:$packages" >&2
    exit 0
  fi
  sudo="sudo"
fi
echo "Installing:$packages"
$sudo apt-get update -qq
# shellcheck disable=SC2086 # one word for each package
DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends $packages >/dev/null
