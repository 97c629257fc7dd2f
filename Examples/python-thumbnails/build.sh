#!/bin/sh
# Makes build/function.zip: app.py with Pillow from PyPI. Usage: build.sh [PYTHON_VERSION], such as 3.12: the version that will run
# it. Left out, it is the newest of 3.14 ... 3.8 found on this machine (on PATH or in pyenv).
set -eu
cd "$(dirname "$0")"

newest() {
    for minor in 14 13 12 11 10 9 8; do
        if command -v "python3.$minor" >/dev/null 2>&1 && "python3.$minor" -c '' >/dev/null 2>&1; then echo "3.$minor"; return; fi
        for found in "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3."$minor".*/bin/"python3.$minor"; do
            if [ -x "$found" ]; then echo "3.$minor"; return; fi
        done
    done
    echo "No Python from 3.8 to 3.14 was found; name the version: build.sh 3.12" >&2
    exit 1
}

version=${1:-$(newest)}
case $version in
    3.8) pillow=10.4.0 ;;
    3.9) pillow=11.3.0 ;;
    3.1[0-4]) pillow=12.0.0 ;;
    *) echo "Not a Python version that this example knows: $version (3.8 to 3.14)" >&2; exit 1 ;;
esac
machine=$(uname -m)
rm -rf build
mkdir build
PIP_ROOT_USER_ACTION=ignore python3 -m pip install --quiet --disable-pip-version-check --no-compile --no-deps --target build/package \
    --only-binary=:all: --implementation cp --python-version "$version" \
    --platform "manylinux2014_$machine" --platform "manylinux_2_28_$machine" "Pillow==$pillow"
cp app.py build/package/
echo "$version" > build/python-version
python3 ../pack.py build/package build/function.zip
echo "Pillow $pillow for Python $version. Handler: app.handler, runtime: python$version."
