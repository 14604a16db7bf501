#!/usr/bin/env bash
# Keeps one comment of a pull request up to date for each use of the action: the one that begins with
# a marker of the job, its place in a matrix, the policy's path and the output folder, which nobody
# sees, whether the policy can be read or not. A comment that begins as the summary does (of an
# earlier version) is taken over. Where there is no summary, the comment says that nothing was judged.
# Wants gh, GH_TOKEN, GITHUB_REPOSITORY, PRUNEGATE_POLICY and PRUNEGATE_PULL_REQUEST.
set -euo pipefail

summary="$PRUNEGATE_OUT/summary.md"
body="$(mktemp)"
none="$(mktemp)"
trap 'rm -f "$body" "$none"' EXIT
if [ ! -s "$summary" ]; then
  printf '<!-- prunegate -->\n⛔ **NOTHING WAS JUDGED**: the job left no summary, so nothing is approved\n' > "$none"
  summary="$none"
fi
marker="$(python -c '
import hashlib, os, posixpath
paths = [posixpath.normpath(os.environ[name]) for name in ("PRUNEGATE_POLICY", "PRUNEGATE_OUT")]
job = [os.environ.get(name, "") for name in ("GITHUB_JOB", "PRUNEGATE_JOB_INDEX")]
use = os.fsencode("\0".join(job + paths))
print("<!-- prunegate-use:%s -->" % hashlib.sha256(use).hexdigest()[:16])
')"
issue="repos/$GITHUB_REPOSITORY/issues/$PRUNEGATE_PULL_REQUEST/comments"
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
