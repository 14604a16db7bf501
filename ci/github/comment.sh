#!/usr/bin/env bash
# Keeps one comment of a pull request up to date for each use of the action: the one that begins
# with a marker of workflow, job, part of a matrix, policy file and output folder, which nobody
# sees, whether the policy can be read or not. Which tables are judged is not in it, so that a path
# with a commit in it makes no new comment; the last line names them. A comment of an earlier
# version (by the policy's path, or beginning as the summary does) is taken over. Where there is no
# summary, the comment says that nothing was judged, and the exit code is 1. Wants gh, GH_TOKEN,
# GITHUB_REPOSITORY, PRUNEGATE_PULL_REQUEST and what begin.sh wants.
set -euo pipefail

summary="$PRUNEGATE_OUT/summary.md"
issue="repos/$GITHUB_REPOSITORY/issues/$PRUNEGATE_PULL_REQUEST/comments"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
code=0
if [ ! -s "$summary" ]; then
  echo "there is no $summary: nothing was judged, and the comment says so" >&2
  summary="$work/summary.md"
  printf '%s\n' '<!-- prunegate -->' '⛔ **NOTHING WAS JUDGED**: the gate left no summary, so there is no verdict and nothing is approved' > "$summary"
  code=1
fi

python - "$summary" "$work/body" "$work/markers" << 'END'
import hashlib, json, os, posixpath, re, sys

summary, body, markers = sys.argv[1:]
given = os.environ.get
policy = posixpath.normpath(os.environ["PRUNEGATE_POLICY"])
place = [given("GITHUB_WORKFLOW", ""), given("GITHUB_JOB", ""), given("PRUNEGATE_JOB_INDEX", "")]
place += [policy, posixpath.normpath(os.environ["PRUNEGATE_OUT"])]


def digest(text):
    return hashlib.sha256(os.fsencode(text)).hexdigest()[:16]


def named(text):
    return "`%s`" % re.sub(r"[^\w.*?+=-]", "_", posixpath.basename(text.strip()))[:80]


own = "<!-- prunegate-use:%s -->" % digest("\0".join(place))
with open(summary, encoding="utf-8") as file:
    text = file.read()
tables = [named(line) for line in given("PRUNEGATE_PREDICTIONS", "").splitlines() if line.strip()]
more = ["and %d more" % (len(tables) - 3)] if len(tables) > 3 else []
told = "Tables: %s; job %s" % (", ".join(tables[:3] + more) or "none", named(place[1]))
parts = given("PRUNEGATE_JOB_TOTAL", "")  # 1 where the job has no matrix
several = place[2].isdigit() and parts.isdigit() and int(parts) > 1
told += ", part %d of its matrix." % (int(place[2]) + 1) if several else "."
with open(body, "w", encoding="utf-8") as file:
    json.dump({"body": "%s\n%s\n%s\n" % (own, text, told)}, file)
with open(markers, "w", encoding="utf-8") as file:
    json.dump([own, "<!-- prunegate-policy:%s -->" % digest(policy), text.split("\n")[0]], file)
END

known="$(gh api --paginate "$issue" --jq '.[] | [.id, (.body | split("\n")[0] | rtrimstr("\r"))] | @json' |
  python -c '
import json, sys
comments = [json.loads(line) for line in sys.stdin if line.strip()]
with open(sys.argv[1], encoding="utf-8") as file:
    markers = json.load(file)
print(next((number for one in markers for number, first in comments if first == one), ""))
' "$work/markers")"
if [ -n "$known" ]; then
  gh api --method PATCH "repos/$GITHUB_REPOSITORY/issues/comments/$known" --input "$work/body" --silent
else
  gh api --method POST "$issue" --input "$work/body" --silent
fi
exit "$code"
