#!/usr/bin/env bash
# Keeps one comment of a pull request up to date: the one that begins with the summary's first line,
# a marker that nobody sees. Wants gh, GH_TOKEN, GITHUB_REPOSITORY and PRUNEGATE_PULL_REQUEST.
set -euo pipefail

summary="$PRUNEGATE_OUT/summary.md"
if [ ! -s "$summary" ]; then
  echo "there is no $summary to comment with" >&2
  exit 0
fi
marker="$(head -n 1 "$summary")"
issue="repos/$GITHUB_REPOSITORY/issues/$PRUNEGATE_PULL_REQUEST/comments"
body="$(mktemp)"
trap 'rm -f "$body"' EXIT
python -c 'import json, sys; json.dump({"body": open(sys.argv[1], encoding="utf-8").read()}, sys.stdout)' \
  "$summary" > "$body"

known="$(gh api --paginate "$issue" --jq '.[] | [.id, (.body | split("\n")[0] | rtrimstr("\r"))] | @json' |
  MARKER="$marker" python -c '
import json, os, sys
for line in sys.stdin:
    if line.strip():
        number, first = json.loads(line)
        if first == os.environ["MARKER"]:
            print(number)
            break
')"
if [ -n "$known" ]; then
  gh api --method PATCH "repos/$GITHUB_REPOSITORY/issues/comments/$known" --input "$body" --silent
else
  gh api --method POST "$issue" --input "$body" --silent
fi
