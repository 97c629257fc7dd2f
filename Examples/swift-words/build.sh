#!/bin/sh
# Makes build/function.zip: one program with Swift's library linked in.
set -eu
cd "$(dirname "$0")"
rm -rf build
mkdir -p build/package
swiftc -O -wmo -static-stdlib -swift-version 6 -Xlinker -s -o build/package/bootstrap main.swift
python3 ../pack.py build/package build/function.zip
