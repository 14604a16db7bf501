#!/usr/bin/env bash
# Before anything can fail: no verdict of an earlier run lies in the output folder, a summary says
# that there is none, and the artefact gets a name that no other use of the action has.
set -euo pipefail

mkdir -p -- "$PRUNEGATE_OUT"
for name in record.json summary.md report.html junit.xml findings.csv expectations.json \
  approval-request.json attempts.json frontier.csv gitlab-metrics.txt gitlab-codequality.json; do
  rm -f -- "$PRUNEGATE_OUT/$name"
done
cat > "$PRUNEGATE_OUT/summary.md" << 'END'
<!-- prunegate -->
⛔ **NOTHING WAS JUDGED**: the job ended before the gate began, so there is no verdict and nothing is approved
END

given=("$GITHUB_JOB" "$PRUNEGATE_JOB_INDEX" "$PRUNEGATE_POLICY" "$PRUNEGATE_PREDICTIONS" "$PRUNEGATE_OUT")
which="$(printf '%s\0' "${given[@]}" | sha256sum | cut -c 1-12)"
echo "artifact=prunegate-verdict-$which" >> "$GITHUB_OUTPUT"
