#!/usr/bin/env bash
# Runs every fuzz target on its corpus: run.sh FUZZERS SECONDS
#
# FUZZERS is the folder of the programs. What they find beyond the corpus stays in
# a folder of its own; an input that fails is kept in it and named. A dictionary
# is NAME.dict beside this script; NAME.seeds names further folders of inputs.
set -euo pipefail
fuzzers=$1 seconds=$2
folder=$(dirname "$0")
corpora=$folder/corpus
found=$fuzzers/found
mkdir -p "$found"

run() {
  local name=$1 log=$found/$1.log options=()
  mkdir -p "$found/$name"
  [ ! -f "$folder/$name.dict" ] || options+=("-dict=$folder/$name.dict")
  [ ! -f "$folder/$name.seeds" ] ||
    mapfile -t -O ${#options[@]} options < <(sed "s|^|$folder/|" "$folder/$name.seeds")
  if ! "$fuzzers/$name" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=4096 \
      -artifact_prefix="$found/$name-" -print_final_stats=1 "${options[@]}" \
      "$found/$name" "$corpora/$name" >"$log" 2>&1; then
    cat "$log"
    echo "$name: expected no failure, got the one above; inputs are $found/$name-*"
    return 1
  fi
  echo "$name: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") inputs, no failure"
}

export -f run
export fuzzers seconds folder corpora found
printf '%s\n' "$corpora"/* | xargs -n 1 basename |
  xargs -P "$(nproc)" -I NAME bash -c 'run NAME'
