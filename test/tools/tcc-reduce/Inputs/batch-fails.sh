#!/bin/sh
# batch-fails.sh TCC-OPT MODULE: 1, that is interesting, if tcc-batch fails for want
# of a layer.
"$1" --tcc-batch "$2" 2>&1 >/dev/null | grep -q "expected one argument of type index" && exit 1
exit 0
