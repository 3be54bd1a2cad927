package upgrade

import (
	"path"
	"strings"

	"daytwo/sources"
)

// All scripts are POSIX sh and use what a bare server has. Values come in as
// quoted assignments at the top, so that a script reads the same everywhere.

// assign writes shell assignments.
func assign(pairs ...string) string {
	var b strings.Builder
	for i := 0; i+1 < len(pairs); i += 2 {
		b.WriteString(pairs[i] + "=" + sources.Quote(pairs[i+1]) + "\n")
	}
	return b.String()
}

// probeScript tells about a machine, one key=value a line. Of the unit's
// command only the path is printed: its arguments may hold a token.
const probeScript = `echo arch=$(uname -m)
for u in k3s k3s-agent; do
  if systemctl is-active --quiet $u.service || systemctl is-enabled --quiet $u.service; then unit=$u; fi
done
echo unit=$unit
line=$(systemctl show -p ExecStart $unit.service 2>/dev/null)
bin=${line#*path=}
if [ "$bin" = "$line" ]; then bin=/usr/local/bin/k3s; fi
bin=${bin%% *}
bin=$(readlink -f "$bin" || echo "$bin")
echo binary=$bin
echo version=$("$bin" --version 2>/dev/null | head -n 1 | cut -d' ' -f3)
echo free=$(df -Pk "${bin%/*}" | tail -n 1 | tr -s ' ' | cut -d' ' -f4)
for c in sqlite3 curl systemd-run; do if command -v $c >/dev/null 2>&1; then echo $c=yes; fi; done
`

// fetchScript gets the new file beside the old one and proves it. Nothing that
// runs is touched.
const fetchScript = `set -eu
umask 022
rm -f "$new" "$new.part" "$new.sums"
trap 'rm -f "$new.part" "$new.sums"' EXIT
echo "fetching $url"
curl -fsSL --connect-timeout 15 -o "$new.part" "$url"
curl -fsSL --connect-timeout 15 -o "$new.sums" "$sums"
want=$(grep "[ *]$file\$" "$new.sums" | cut -d' ' -f1)
got=$(sha256sum "$new.part" | cut -d' ' -f1)
echo "sha256 $got"
if [ -z "$want" ] || [ "$got" != "$want" ]; then
  echo "the checksum does not match: the release server says $want" >&2
  echo "the file was thrown away, the node is as it was" >&2
  exit 65
fi
if [ -n "$planned" ] && [ "$got" != "$planned" ]; then
  echo "the checksum is not the one of the plan: $planned" >&2
  echo "the release server changed its files since; the file was thrown away, the node is as it was" >&2
  exit 65
fi
chmod 755 "$new.part"
is=$("$new.part" --version | head -n 1)
echo "$is"
case "$is" in
"k3s version $to" | "k3s version $to "*) ;;
*) echo "this is not $to; the file was thrown away, the node is as it was" >&2; exit 65 ;;
esac
mv -f "$new.part" "$new"
echo "verified: $new"
`

// swapScript keeps the old file by its version and puts the new one in its
// place at once. What runs goes on with the old one.
const swapScript = `set -eu
now=$("$bin" --version | head -n 1 | cut -d' ' -f3)
if [ "$now" != "$to" ]; then
  is=$("$new" --version | head -n 1 | cut -d' ' -f3)
  if [ "$is" != "$to" ]; then echo "$new is $is, not $to: fetch it again" >&2; exit 65; fi
  if [ "$now" = "$from" ]; then
    rm -f "$old.part"
    ln "$bin" "$old.part" 2>/dev/null || cp -p "$bin" "$old.part"
    mv -f "$old.part" "$old"
    echo "kept $old"
  fi
  mv -f "$new" "$bin"
  if command -v restorecon >/dev/null 2>&1; then restorecon "$bin" || true; fi
fi
"$bin" --version | head -n 1
`

// restartScript restarts the unit and shows what it said meanwhile.
const restartScript = `begin=$(date '+%Y-%m-%d %H:%M:%S')
echo "systemctl restart $unit"
systemctl restart "$unit.service"
rc=$?
journalctl -u "$unit.service" --since "$begin" -n 25 --no-pager -o short-iso 2>/dev/null
if [ $rc != 0 ]; then echo "systemctl restart $unit ended with $rc" >&2; fi
exit $rc
`

// installScript runs k3s's install script with the arguments and environment
// that the unit has now: by itself it forgets them. The verified binary is in
// its place already. The unit and its environment are kept beside.
const installScript = `set -eu
umask 077
file=/etc/systemd/system/$unit.service
if [ ! -f "$file" ]; then echo "$file is not there: this k3s was not set up by the install script" >&2; exit 66; fi
cp -p "$file" "$file.$from"
if [ -f "$file.env" ]; then cp -p "$file.env" "$file.env.$from"; fi
line='' on=0
while IFS= read -r l || [ -n "$l" ]; do
  case $l in ExecStart=*) on=1; l=${l#ExecStart=} ;; esac
  if [ $on = 1 ]; then
    case $l in
    *\\) line="$line ${l%\\}" ;;
    *) line="$line $l"; on=0 ;;
    esac
  fi
done <"$file"
eval "set -- $line"
shift
if [ -f "$file.env" ]; then set -a; . "$file.env"; set +a; fi
script=$(mktemp)
trap 'rm -f "$script"' EXIT
echo "fetching $install"
curl -fsSL --connect-timeout 15 -o "$script" "$install"
[ -s "$script" ]
INSTALL_K3S_SKIP_DOWNLOAD=true INSTALL_K3S_SKIP_SELINUX_RPM=true INSTALL_K3S_FORCE_RESTART=true
INSTALL_K3S_BIN_DIR=${bin%/*}
export INSTALL_K3S_SKIP_DOWNLOAD INSTALL_K3S_SKIP_SELINUX_RPM INSTALL_K3S_FORCE_RESTART INSTALL_K3S_BIN_DIR
begin=$(date '+%Y-%m-%d %H:%M:%S')
sh "$script" "$@"
journalctl -u "$unit.service" --since "$begin" -n 25 --no-pager -o short-iso 2>/dev/null || true
`

// saveSQLite saves the datastore and the token that its secrets are sealed
// with, and reads the copy. Without the program sqlite3 k3s is stopped for the
// copy: one that is made of a live database may be torn.
const saveSQLite = `set -eu
umask 077
mkdir -p "$dir"
rm -f "$dir/complete"
cp -p "$data/server/token" "$dir/token"
if command -v sqlite3 >/dev/null 2>&1; then
  rm -f "$dir/state.db"
  sqlite3 "$data/server/db/state.db" ".backup '$dir/state.db'"
  ok=$(sqlite3 "$dir/state.db" 'PRAGMA integrity_check;' | head -n 1)
  if [ "$ok" != ok ]; then echo "the copy cannot be read: $ok" >&2; exit 65; fi
else
  echo "sqlite3 is not there: k3s is stopped while its database is copied"
  systemctl stop "$unit.service"
  cp -p "$data"/server/db/state.db* "$dir/" || failed=yes
  systemctl start "$unit.service"
  if [ "${failed:-}" = yes ]; then echo "the copy failed; k3s was started again" >&2; exit 65; fi
  magic=$(head -c 15 "$dir/state.db")
  if [ "$magic" != "SQLite format 3" ]; then echo "the copy is no SQLite database" >&2; exit 65; fi
fi
[ -s "$dir/token" ]
ls -l "$dir"
touch "$dir/complete"
echo "saved in $dir, with the token; it is on this machine's own disk"
`

// saveEtcd takes a snapshot by k3s itself and keeps the token beside it.
const saveEtcd = `set -eu
umask 077
mkdir -p "$dir"
rm -f "$dir/complete"
cp -p "$data/server/token" "$dir/token"
"$bin" etcd-snapshot save --name "$name" --dir "$dir"
found=
for f in "$dir/$name"*; do if [ -s "$f" ]; then found=$f; fi; done
if [ -z "$found" ]; then echo "k3s says that it saved a snapshot, and $dir has none" >&2; exit 65; fi
[ -s "$dir/token" ]
ls -l "$dir"
touch "$dir/complete"
echo "saved in $dir, with the token; it is on this machine's own disk"
`

// backScript puts the kept file in its place again.
const backScript = `set -eu
now=$("$bin" --version | head -n 1 | cut -d' ' -f3)
if [ "$now" != "$to" ]; then
  is=$("$old" --version | head -n 1 | cut -d' ' -f3)
  if [ "$is" != "$to" ]; then echo "$old is $is, not $to: the kept file is not there, so fetch $to by hand" >&2; exit 65; fi
  rm -f "$bin.back"
  ln "$old" "$bin.back" 2>/dev/null || cp -p "$old" "$bin.back"
  mv -f "$bin.back" "$bin"
  if command -v restorecon >/dev/null 2>&1; then restorecon "$bin" || true; fi
fi
for f in "/etc/systemd/system/$unit.service" "/etc/systemd/system/$unit.service.env"; do
  if [ -f "$f.$to" ]; then cp -p "$f.$to" "$f"; systemctl daemon-reload; fi
done
"$bin" --version | head -n 1
`

// files are the places of a node's binary: as it is, the new one, the kept
// old one.
func (n NodePlan) files() (bin, next, old string) {
	bin = n.Machine.Binary
	if bin == "" {
		bin = "/usr/local/bin/k3s"
	}
	return bin, bin + ".next", bin + "." + n.From
}

func (n NodePlan) unit() string {
	switch {
	case n.Machine.Unit != "":
		return n.Machine.Unit
	case n.Server:
		return "k3s"
	}
	return "k3s-agent"
}

// dataDir is where k3s keeps its files.
func (n NodePlan) dataDir() string {
	for i, a := range n.Args {
		if v, ok := strings.CutPrefix(a, "--data-dir="); ok {
			return v
		}
		if (a == "--data-dir" || a == "-d") && i+1 < len(n.Args) {
			return n.Args[i+1]
		}
	}
	return "/var/lib/rancher/k3s"
}

// savedDir is where a run keeps the datastore's copy: beside k3s's own folder,
// so that nothing of k3s removes it.
func (n NodePlan) savedDir(run string) string {
	return path.Join(path.Dir(path.Clean(n.dataDir())), "daytwo", "datastore-"+run)
}
