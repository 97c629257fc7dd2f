#!/bin/sh
# Makes build/function.zip: one ES module, no packages.
set -eu
cd "$(dirname "$0")"
rm -rf build
mkdir -p build/package
cp index.mjs build/package/
python3 ../pack.py build/package build/function.zip
