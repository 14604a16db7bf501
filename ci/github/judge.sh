#!/usr/bin/env bash
# Judges; the verdict's exit code becomes an output of the step, so that what was found is uploaded
# and told before the job ends with it. A gate that is killed says nothing, so that is said here. What
# users give arrives in the environment, never in the text of a script.
set -uo pipefail

arguments=("$PRUNEGATE_POLICY" --out "$PRUNEGATE_OUT" --force --fail-on "$PRUNEGATE_FAIL_ON")
while IFS= read -r table; do
  if [ -n "$table" ]; then arguments+=(--predictions "$table"); fi
done <<< "$PRUNEGATE_PREDICTIONS"
if [ -n "${PRUNEGATE_MEASUREMENTS:-}" ]; then
  arguments+=(--measurements "$PRUNEGATE_MEASUREMENTS")
fi

prunegate gate "${arguments[@]}"
code=$?
echo "exit-code=$code" >> "$GITHUB_OUTPUT"
if [ "$code" -ge 126 ] && [[ ! "$code" =~ ^(129|130|143)$ ]]; then # those it tells itself
  echo "::error title=prunegate::The gate ended with exit code $code before there was a verdict: nothing was judged."
  if [ -s "$PRUNEGATE_OUT/summary.md" ]; then
    cat -- "$PRUNEGATE_OUT/summary.md" >> "${GITHUB_STEP_SUMMARY:-/dev/null}"
  fi
fi
