#!/bin/sh
# usage: run.sh NVIM CHARTER: the headless suite; both are programs
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/project"
printf '[project]\nname = "sample"\n' > "$work/project/pyproject.toml"
cat > "$work/project/sample.py" <<'PYTHON'
def compare(a):
    if a:
        raise ValueError(a)
    s = "😀😀"; return a == None
PYTHON
cd "$work/project"
CHARTER_NEOVIM="$here/../../../editors/neovim" CHARTER_COMMAND="$2" \
XDG_CONFIG_HOME="$work/config" XDG_DATA_HOME="$work/data" XDG_STATE_HOME="$work/state" XDG_CACHE_HOME="$work/cache" \
  timeout 120 "$1" --headless -u "$here/init.lua" -c "luafile $here/run.lua" sample.py </dev/null
