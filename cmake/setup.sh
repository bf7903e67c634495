#!/usr/bin/env bash
# Installs the Debian packages that the build needs and that are missing, then
# configures the release build in build/. Sourced by quickstart and check.
set -euo pipefail

tcc_packages=(
  build-essential ca-certificates ccache cmake ninja-build pkg-config python3
  clang-22 lld-22 llvm-22-dev llvm-22-tools libmlir-22-dev mlir-22-tools
  flatbuffers-compiler libflatbuffers-dev nlohmann-json3-dev libcli11-dev
  libpcre2-dev libxxhash-dev libzstd-dev liblz4-dev libgtest-dev libclang-rt-22-dev
)

# Prints the packages of the list that are not installed.
tcc_missing_packages() {
  local package
  for package in "${tcc_packages[@]}"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null |
      grep -q 'install ok installed' || echo "$package"
  done
}

tcc_install_packages() {
  local missing
  missing=$(tcc_missing_packages)
  [ -z "$missing" ] && return
  # shellcheck disable=SC2086
  echo "installing:" $missing >&2
  if [ "$(id -u)" -ne 0 ]; then
    # shellcheck disable=SC2086
    echo "error: these packages are missing; install them as root:" $missing >&2
    exit 69
  fi
  apt-get update >&2
  # shellcheck disable=SC2086
  DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
    $missing >&2
}

# Configures $1 (a preset) if its folder $2 has no build files yet.
tcc_configure() {
  [ -f "$2/build.ninja" ] || cmake --preset "$1" >&2
}
