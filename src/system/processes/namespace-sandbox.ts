/** The sandbox of an unprivileged user namespace, for Linux without bubblewrap: made with `unshare` and `mount` of util-linux alone. */

/**
 * Runs as root of the new namespace. Arguments: the writable folder, the number of hidden paths, these paths, then the command.
 * Everything is made read-only, what must not be seen is covered, and the second `unshare` locks all that: a nested namespace may not undo
 * the mounts of the one around it. Mounts that cannot be made read-only (of the kernel, mostly) are covered too.
 */
const NAMESPACE_SCRIPT = `
set -eu
work=$1; hidden=$2; shift 2
cover() { mount -t tmpfs -o ro,mode=755,size=4k tmpfs "$1"; }
mount --bind "$work" "$work"
if mount -t proc proc /proc 2>/dev/null; then
  for name in sys sysrq-trigger irq bus; do
    [ ! -e "/proc/$name" ] || { mount --bind "/proc/$name" "/proc/$name"; mount -o remount,bind,ro "/proc/$name"; }
  done
else cover /proc; fi
device=$work/.dev
mkdir "$device"
mount -t tmpfs -o mode=755,size=64k tmpfs "$device"
for name in null zero full random urandom; do : > "$device/$name"; mount --bind "/dev/$name" "$device/$name"; done
ln -s /proc/self/fd "$device/fd"
mount --rbind "$device" /dev
points=$(while read -r _ _ _ _ point options _; do printf '%s %s\\n' "$options" "$point"; done < /proc/self/mountinfo)
printf '%s\\n' "$points" | while read -r options point; do
  point=$(printf '%b' "$point")
  case $point in "$work"|"$work"/*|/dev|/dev/*|/proc|/proc/*) continue ;; esac
  kept=ro
  for option in nosuid nodev noexec noatime nodiratime relatime; do case ",$options," in *",$option,"*) kept=$kept,$option ;; esac; done
  mount -o "remount,bind,$kept" "$point" 2>/dev/null || cover "$point" 2>/dev/null || mount --bind /dev/null "$point" 2>/dev/null || [ ! -e "$point" ]
done
while [ "$hidden" -gt 0 ]; do
  if [ -d "$1" ]; then cover "$1"; elif [ -e "$1" ]; then mount --bind /dev/null "$1"; fi
  shift; hidden=$((hidden - 1))
done
umount -l "$device" && rmdir "$device"
cd "$work"
unset OLDPWD
exec unshare --user --map-root-user --mount -- "$@"
`;

const FLAGS = [
  "--user",
  "--map-root-user",
  "--mount",
  "--propagation",
  "private",
  "--pid",
  "--fork",
  "--kill-child",
  "--net",
  "--ipc",
  "--uts",
];

/** The words in front of a command that put it into the sandbox. `before`: what ties its life to ours, where there is such a program. */
export const namespaceArgv = (
  programs: { unshare: string; sh: string; before: readonly string[] },
  work: string,
  hidden: readonly string[],
): string[] => [
  ...programs.before,
  programs.unshare,
  ...FLAGS,
  "--",
  programs.sh,
  "-c",
  NAMESPACE_SCRIPT,
  "sandbox",
  work,
  String(hidden.length),
  ...hidden,
];
