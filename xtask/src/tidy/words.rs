//! The words the rules look for. This file alone is exempt from the rule on words.

/// Words that say nothing about a thing; no name may contain one.
pub const EMPTY_NAMES: [&str; 16] = [
    "manager", "managers", "helper", "helpers", "util", "utils", "common", "base", "data", "info",
    "handler", "handlers", "service", "services", "misc", "stuff",
];

/// Words that do not belong in the tree, as whole words in any letter case.
pub const FOREIGN: [&str; 2] = ["session", "sessions"];

/// Marks of unfinished work, as whole words in upper case.
pub const UNFINISHED: [&str; 3] = ["TODO", "FIXME", "XXX"];

/// Beginnings of paths of somebody's machine.
pub const MACHINE_PATHS: [&str; 4] = ["/work/", "/tmp/", "/home/", "/root/"];
