#!/bin/sh
# Makes .venv with a Python that is new enough. Debian ships venv as a package of its own.
set -eu

python=${PYTHON:-}
for candidate in $python python3 python3.14 python3.13 python3.12 python3.11; do
  if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    python=$candidate
    break
  fi
  python=""
done
if [ -z "$python" ]; then
  echo "farhand needs Python 3.11 or newer. Name one with: make setup PYTHON=/path/to/python3" >&2
  exit 1
fi

if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
  sudo=""
  [ "$(id -u)" = 0 ] || sudo="sudo"
  version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
  echo "Installing python$version-venv (the module venv is missing)."
  $sudo apt-get update -qq
  DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq "python$version-venv" >/dev/null
fi
# A half-made one would be taken for whole the next time.
trap 'rm -rf .venv' EXIT
"$python" -m venv .venv
# 25.1 is the first pip that installs dependency groups.
.venv/bin/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=25.1"
trap - EXIT
