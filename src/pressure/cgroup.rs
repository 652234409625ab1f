//! Control groups: whether this process's group, or one around it, is about to reach its memory limit.
//!
//! What counts is memory that can't be dropped (v2: `anon`, v1: `total_rss`), not the usage files: those include cached
//! files, which fill any limit in time. The groups are looked for where every distribution mounts them; in a container
//! whose own group stands at the mount's root the path in /proc is the host's, and the walk up ends at that root.
#![forbid(unsafe_code)]

use super::files::{Files, number};
use super::path::{Path, Paths};
use super::psi;

/// Groups looked at, from the process's own upwards.
const MAX_DEPTH: usize = 16;

/// What the two versions call the same things.
struct Version {
    mounts: &'static [&'static [u8]],
    limits: &'static [&'static [u8]],
    used: &'static [u8],
    pressure: Option<&'static [u8]>,
}

const V1: Version = Version {
    mounts: &[b"/sys/fs/cgroup/memory"],
    limits: &[b"/memory.limit_in_bytes"],
    used: b"total_rss ",
    pressure: None,
};
const V2: Version = Version {
    mounts: &[b"/sys/fs/cgroup", b"/sys/fs/cgroup/unified"],
    limits: &[b"/memory.high", b"/memory.max"],
    used: b"anon ",
    pressure: Some(b"/memory.pressure"),
};

pub(super) fn is_high(files: &mut impl Files, paths: &mut Paths) -> bool {
    let Paths { at, one, two } = paths;
    let (mut has_one, mut has_two) = (false, false);
    files.each_line(at.set(b"/proc/self/cgroup"), &mut |line| {
        match group_of(line) {
            Some((true, group)) => {
                two.set(group);
                has_two = true;
            }
            Some((false, group)) => {
                one.set(group);
                has_one = true;
            }
            None => {}
        }
        has_one && has_two
    });
    (has_one && V1.is_high(files, at, one)) || (has_two && V2.is_high(files, at, two))
}

/// From a line of /proc/self/cgroup, the group that decides over memory, and whether it is version 2.
fn group_of(line: &[u8]) -> Option<(bool, &[u8])> {
    let mut fields = line.splitn(3, |&byte| byte == b':');
    let (_, controllers, group) = (fields.next()?, fields.next()?, fields.next()?);
    // The root group is "/": without the slash, it is the mount itself.
    let group = group.strip_suffix(b"/").unwrap_or(group);
    let is_memory = controllers.split(|&byte| byte == b',').any(|controller| controller == b"memory");
    (controllers.is_empty() || is_memory).then_some((controllers.is_empty(), group))
}

impl Version {
    fn is_high(&self, files: &mut impl Files, path: &mut Path, group: &Path) -> bool {
        let group = group.terminated().and_then(|group| group.split_last());
        group.is_some_and(|(_, group)| self.mounts.iter().any(|mount| self.is_high_from(files, path, mount, group)))
    }

    fn is_high_from(&self, files: &mut impl Files, path: &mut Path, mount: &[u8], group: &[u8]) -> bool {
        path.set(mount).push(group);
        for depth in 0..MAX_DEPTH {
            let own = path.len();
            if let Some(pressure) = self.pressure.filter(|_| depth == 0) {
                path.push(pressure);
                if psi::is_high(files, path) {
                    return true;
                }
                path.truncate(own);
            }
            if self.is_near_limit(files, path) {
                return true;
            }
            path.truncate(own);
            if !path.parent(mount.len()) {
                break;
            }
        }
        false
    }

    /// Whether the group at `path` has a limit and uses seven eighths of it. Leaves `path` longer.
    fn is_near_limit(&self, files: &mut impl Files, path: &mut Path) -> bool {
        let own = path.len();
        let mut limit = u64::MAX;
        for name in self.limits {
            path.push(name);
            files.each_line(path, &mut |line| {
                limit = limit.min(number(line).unwrap_or(u64::MAX));
                true
            });
            path.truncate(own);
        }
        // Version 1 says "no limit" with a number near the largest.
        if limit >= 1 << 62 {
            return false;
        }
        let mut used = 0;
        path.push(b"/memory.stat");
        files.each_line(path, &mut |line| {
            let found = line.strip_prefix(self.used).and_then(number);
            used = found.unwrap_or(0);
            found.is_some()
        });
        used >= limit - limit / 8
    }
}

#[cfg(test)]
mod tests {
    use super::super::files::fake::Texts;
    use super::*;

    fn is_high(mut files: Texts) -> bool {
        super::is_high(&mut files, &mut Paths::new())
    }

    const TWO: (&str, &str) = ("/proc/self/cgroup", "0::/kube/pod\n");
    const ONE: (&str, &str) = ("/proc/self/cgroup", "9:name=systemd:/\n4:cpu,memory:/a\n1:cpu:/b\n0::/\n");

    #[test]
    fn lines_of_proc_name_the_group() {
        assert_eq!(group_of(b"0::/a/b"), Some((true, &b"/a/b"[..])));
        assert_eq!(group_of(b"0::/"), Some((true, &b""[..])));
        assert_eq!(group_of(b"4:memory:/x:y"), Some((false, &b"/x:y"[..])));
        assert_eq!(group_of(b"4:cpu,memory:/x"), Some((false, &b"/x"[..])));
        for other in [&b"1:cpu:/b"[..], b"9:name=systemd:/", b"", b"0:", b"nonsense"] {
            assert_eq!(group_of(other), None);
        }
    }

    #[test]
    fn v2_is_high_near_the_lower_limit_of_any_group_around() {
        let says = |files: &[(&str, &str)]| is_high(Texts(files));
        let (high, max) = ("/sys/fs/cgroup/kube/pod/memory.high", "/sys/fs/cgroup/kube/pod/memory.max");
        let stat = "/sys/fs/cgroup/kube/pod/memory.stat";
        assert!(says(&[TWO, (high, "max\n"), (max, "1000\n"), (stat, "anon 875\nfile 9\n")]));
        assert!(says(&[TWO, (high, "800\n"), (max, "1000\n"), (stat, "anon 700\nfile 9\n")]));
        assert!(!says(&[TWO, (high, "max\n"), (max, "1000\n"), (stat, "anon 874\nfile 900\n")]));
        assert!(!says(&[TWO, (high, "max\n"), (max, "max\n"), (stat, "anon 99999999999\n")]));
        assert!(!says(&[TWO, (max, "1000\n")]), "no memory.stat");
        let above = [("/sys/fs/cgroup/kube/memory.max", "1000"), ("/sys/fs/cgroup/kube/memory.stat", "anon 1000")];
        assert!(says(&[TWO, above[0], above[1]]));
        let root = [("/sys/fs/cgroup/memory.max", "1000"), ("/sys/fs/cgroup/memory.stat", "anon 1000")];
        assert!(says(&[TWO, root[0], root[1]]), "a container's own group is the root of its mount");
    }

    #[test]
    fn v2_reports_the_stalls_of_the_own_group_only() {
        let stalls = "some avg10=20.00 avg60=0.00 avg300=0.00 total=5";
        assert!(is_high(Texts(&[TWO, ("/sys/fs/cgroup/kube/pod/memory.pressure", stalls)])));
        assert!(is_high(Texts(&[TWO, ("/sys/fs/cgroup/unified/kube/pod/memory.pressure", stalls)])));
        assert!(!is_high(Texts(&[TWO, ("/sys/fs/cgroup/kube/memory.pressure", stalls)])));
    }

    #[test]
    fn v1_has_its_own_names() {
        let (limit, stat) = ("/sys/fs/cgroup/memory/a/memory.limit_in_bytes", "/sys/fs/cgroup/memory/a/memory.stat");
        assert!(is_high(Texts(&[ONE, (limit, "4096\n"), (stat, "cache 9\nrss 1\ntotal_cache 9\ntotal_rss 4000\n")])));
        assert!(!is_high(Texts(&[ONE, (limit, "4096\n"), (stat, "cache 4096\nrss 4096\ntotal_rss 100\n")])));
        assert!(!is_high(Texts(&[ONE, (limit, "9223372036854771712\n"), (stat, "total_rss 9223372036854775807\n")])));
    }
}
