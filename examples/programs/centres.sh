#!/bin/sh
# Nearest centre: $1 is the power of the spread by which each feature is divided.
set -eu
cd "$(dirname "$0")"
awk -F , -v power="$1" -f train.awk "$IRIS_HPO_TRAIN" > "$IRIS_HPO_OUTPUT/centres.csv"
echo "the centres of $(wc -l < "$IRIS_HPO_OUTPUT/centres.csv") lines are stored" >&2
awk -F , -f score.awk "$IRIS_HPO_OUTPUT/centres.csv" "$IRIS_HPO_TEST"
