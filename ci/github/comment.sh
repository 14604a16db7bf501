#!/usr/bin/env bash
# Keeps one comment of a pull request up to date for each policy file: the one that begins with a
# marker of the file's path, which nobody sees, whether the policy can be read or not. A comment
# that begins as the summary does (of an earlier version) is taken over. Wants gh, GH_TOKEN,
# GITHUB_REPOSITORY, PRUNEGATE_POLICY and PRUNEGATE_PULL_REQUEST.
set -euo pipefail

summary="$PRUNEGATE_OUT/summary.md"
if [ ! -s "$summary" ]; then
  echo "there is no $summary to comment with" >&2
  exit 0
fi
marker="$(python -c '
import hashlib, os, posixpath
path = posixpath.normpath(os.environ["PRUNEGATE_POLICY"])
print("<!-- prunegate-policy:%s -->" % hashlib.sha256(os.fsencode(path)).hexdigest()[:16])
')"
issue="repos/$GITHUB_REPOSITORY/issues/$PRUNEGATE_PULL_REQUEST/comments"
body="$(mktemp)"
trap 'rm -f "$body"' EXIT
MARKER="$marker" python -c '
import json, os, sys
with open(sys.argv[1], encoding="utf-8") as summary:
    json.dump({"body": os.environ["MARKER"] + "\n" + summary.read()}, sys.stdout)
' "$summary" > "$body"

known="$(gh api --paginate "$issue" --jq '.[] | [.id, (.body | split("\n")[0] | rtrimstr("\r"))] | @json' |
  MARKER="$marker" EARLIER="$(head -n 1 "$summary")" python -c '
import json, os, sys
comments = [json.loads(line) for line in sys.stdin if line.strip()]
for marker in (os.environ["MARKER"], os.environ["EARLIER"]):
    found = [number for number, first in comments if first == marker]
    if found:
        print(found[0])
        break
')"
if [ -n "$known" ]; then
  gh api --method PATCH "repos/$GITHUB_REPOSITORY/issues/comments/$known" --input "$body" --silent
else
  gh api --method POST "$issue" --input "$body" --silent
fi
