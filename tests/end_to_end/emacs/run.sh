#!/bin/sh
# usage: run.sh EMACS CHARTER: the batch suite; both are programs
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/project"
cat > "$work/project/sample.py" <<'PYTHON'
def compare(a):
    s = "😀😀"; return a == None
PYTHON
cd "$work/project"
HOME="$work" XDG_CACHE_HOME="$work/cache" LC_ALL=C.UTF-8 CHARTER_COMMAND="$2" \
  timeout 120 "$1" --batch -l "$here/test.el" </dev/null
