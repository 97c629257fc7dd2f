# Sourced by ./quickstart and ./test: installs what the build needs, once, from Debian's packages and PyPI only.
# Leaves: $PYTHON (a virtual environment with the stock AWS clients), and a C compiler and libraries for `swift build`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

say() { printf '\033[1m== %s\033[0m\n' "$*"; }

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; elif command -v sudo >/dev/null; then sudo "$@"; else
    echo "This needs root once, to install packages: $*" >&2
    exit 1
  fi
}

install_packages() {
  local missing=()
  for package in "$@"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} = 0 ] && return
  say "installing ${missing[*]}"
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null ||
    { as_root apt-get update -qq && as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
      --no-install-recommends "${missing[@]}" >/dev/null; }
}

# Languages whose functions are tested, and a browser. A test without its own is skipped and says so; the rest runs all the same.
install_languages() {
  local package
  for package in "$@"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' && continue
    (install_packages "$package") 2>/dev/null || echo "   no package $package here: its tests are skipped"
  done
}

# A program of a package that would start a service of its own when installed: only its files, in the cache, on PATH.
unpack_package() {
  command -v "$1" >/dev/null && return
  local home="${XDG_CACHE_HOME:-$HOME/.cache}/martlet/packages/$1"
  if [ ! -x "$home/usr/bin/$1" ]; then
    say "fetching $1"
    rm -rf "$home" && mkdir -p "$home"
    (cd "$home" && { apt-get download -qq "$1" 2>/dev/null || { as_root apt-get update -qq && apt-get download -qq "$1"; }; } &&
      dpkg -x "$1"_*.deb . && rm "$1"_*.deb) || return 1
  fi
  export PATH="$home/usr/bin:$PATH"
}

# $1: a requirements file. The environment is made anew only when the file or the interpreter changes.
python_environment() {
  local home="${MARTLET_VENV:-${XDG_CACHE_HOME:-$HOME/.cache}/martlet/venv}"
  local stamp
  stamp="$(python3 -c 'import sys; print(sys.version)' | cat - "$1" | sha256sum | cut -c1-16)"
  if [ ! -e "$home-$stamp/ready" ]; then
    say "installing the stock AWS clients from PyPI"
    rm -rf "$home-$stamp"
    python3 -m venv "$home-$stamp"
    "$home-$stamp/bin/pip" install -q --disable-pip-version-check -r "$1"
    touch "$home-$stamp/ready"
  fi
  PYTHON="$home-$stamp/bin/python"
  export PATH="$home-$stamp/bin:$PATH"
}

command -v swift >/dev/null || { echo "Swift 6.3 is needed: https://www.swift.org/install" >&2; exit 1; }
install_packages gcc libc6-dev pkg-config libseccomp-dev libarchive-dev libsqlite3-dev libssl-dev openssl g++ python3 python3-venv tzdata
