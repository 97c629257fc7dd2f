#!/bin/sh
# Makes build/function.zip: one static program.
set -eu
cd "$(dirname "$0")"
rm -rf build
mkdir -p build/package
"${CC:-cc}" -std=gnu11 -O2 -Wall -Wextra -Wno-maybe-uninitialized -static -s -o build/package/bootstrap bootstrap.c
python3 ../pack.py build/package build/function.zip
