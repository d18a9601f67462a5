// SPDX-License-Identifier: MIT OR Apache-2.0
//! Lines of a kernel's log that mean a fault of the kernel.

/// Words of the kernel's own checks. Several are of options that only the debug
/// kernel has.
const WORDS: [&str; 16] = [
    "WARNING:",
    "BUG:",
    "Oops",
    "Call Trace",
    "refcount_t",
    "unregister_netdevice",
    "ref_tracker",
    "UBSAN:",
    "ODEBUG:",
    "INFO: possible",
    "INFO: trying to register",
    "INFO: task",
    "detected stall",
    "workqueue lockup",
    "list_add corruption",
    "list_del corruption",
];

/// The lines of a log that tell of something wrong.
pub fn lines(log: &str) -> Vec<&str> {
    log.lines()
        .filter(|line| WORDS.iter().any(|word| line.contains(word)))
        .collect()
}

/// The first thing wrong in a log with what follows it, for people to read.
pub fn first(log: &str) -> Option<String> {
    let first = *lines(log).first()?;
    let start = log.find(first).unwrap_or_default();
    let report: Vec<_> = log[start..].lines().take(60).collect();
    Some(report.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_of_every_checker_are_found() {
        for line in [
            "BUG: KASAN: slab-out-of-bounds in muennet_rx+0x1/0x2",
            "BUG: sleeping function called from invalid context at mm/slab.h:1",
            "WARNING: possible circular locking dependency detected",
            "WARNING: suspicious RCU usage",
            "INFO: possible recursive locking detected",
            "UBSAN: array-index-out-of-bounds in net/core/dev.c:1:2",
            "ODEBUG: free active (active state 0) object: 1 object type: work_struct",
            "ref_tracker: net%1 has 1/1 users at",
            "rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:",
            "watchdog: BUG: soft lockup - CPU#0 stuck for 130s!",
            "list_del corruption. prev->next should be 1, but was 2",
        ] {
            assert_eq!(
                lines(&format!("[    1.0] {line}\n[    1.1] rest")).len(),
                1,
                "{line}"
            );
        }
    }

    #[test]
    fn what_is_usual_is_not() {
        let log = "[    0.5] kmemleak: Kernel memory leak detector initialized (mem pool available: 15000)\n\
                   [    0.6] Lock dependency validator: Copyright (c) 2006 Red Hat, Inc., Ingo Molnar\n\
                   [    3.1] muennet: loading out-of-tree module taints kernel.";
        assert_eq!(first(log), None);
    }

    #[test]
    fn the_first_report_comes_with_what_follows() {
        let log = "quiet\n[1.0] BUG: one\n[1.1] who\n[2.0] BUG: two\n";
        assert_eq!(
            first(log).unwrap(),
            "[1.0] BUG: one\n[1.1] who\n[2.0] BUG: two"
        );
    }
}
