#!/bin/sh
# Makes build/function.zip: the one script.
set -eu
cd "$(dirname "$0")"
rm -rf build
mkdir -p build/package
install -m 755 bootstrap build/package/bootstrap
python3 ../pack.py build/package build/function.zip
