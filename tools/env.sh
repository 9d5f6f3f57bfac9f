# Shared by the scripts of this folder: where everything lives, and how the
# tools are called. Sourced, never run.
# shellcheck shell=bash disable=SC2034
set -euo pipefail

REPO=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/inventory_cost_gl
BUILD=$REPO/build
VENV=$CACHE/venv
DEMO_DB=inventory_cost_demo
mkdir -p "$CACHE" "$BUILD"

say() { printf '%s\n' "$*" >&2; }
die() {
    say "error: $*"
    exit 1
}

# Odoo: a checkout named by ODOO_DIR, else an installed Odoo 19, else the
# package that tools/fetch_odoo unpacks into the cache.
UNPACKED=$CACHE/odoo
installed_odoo() {
    (cd / && python3 -c '
import os
from odoo import release
assert release.version_info[0] == 19
print(os.path.dirname(os.path.dirname(release.__file__)))' 2>/dev/null)
}
ODOO_ROOT=${ODOO_DIR:-$(installed_odoo || echo "$UNPACKED/usr/lib/python3/dist-packages")}
export PYTHONPATH=$ODOO_ROOT

# PostgreSQL refuses to run as root, and another user may be barred from root's
# home: the cluster then lives outside of it.
PG_HOME=$CACHE/postgresql
as_pg_user() { "$@"; }
if ((EUID == 0)); then
    as_pg_user() { (cd / && runuser -u postgres -- "$@"); }
    as_pg_user test -x "$CACHE" 2>/dev/null || PG_HOME=/var/cache/inventory_cost_gl
fi
export PGHOST=$PG_HOME/socket PGUSER=odoo PGDATABASE=postgres
unset PGPORT PGPASSWORD
# The newest server of this machine; Debian keeps it off the PATH.
PG_BIN=$(printf '%s\n' /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
[ -x "$PG_BIN/initdb" ] || PG_BIN=$(dirname "$(command -v initdb || echo none/initdb)")

# Odoo reads its settings from here; one file per source tree, as the tree is
# part of the addons path.
ODOO_RC=$CACHE/odoo-$(cksum <<<"$REPO" | cut -d ' ' -f 1).conf
export ODOO_RC
write_odoo_rc() {
    # A checkout keeps most addons beside the odoo folder, a package inside it.
    local addons=$ODOO_ROOT/odoo/addons
    [ -d "$addons/web" ] || addons=$ODOO_ROOT/addons,$addons
    cat >"$ODOO_RC" <<EOF
[options]
addons_path = $addons,$REPO
data_dir = $CACHE/data
db_host = $PGHOST
db_user = $PGUSER
db_maxconn = 32
http_interface = 127.0.0.1
EOF
}

# Odoo from a folder where no module name hides one of Python's own.
exec_odoo() {
    cd "$CACHE"
    exec "$VENV/bin/python" -m odoo "$@"
}
odoo() { (exec_odoo "$@"); }

free_port() {
    "$VENV/bin/python" -c '
import socket
with socket.socket() as s:
    s.bind(("127.0.0.1", 0))
    print(s.getsockname()[1])'
}
