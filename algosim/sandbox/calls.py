"""The system calls that a strategy's process may make, by name and number (Linux)."""

from __future__ import annotations

__all__ = ["CHECKED", "PLAIN", "numbers"]

# Each: its name, its number on x86_64 and on aarch64 ("-": there is none).
PLAIN = """
read 0 63, write 1 64, close 3 57, stat 4 -, fstat 5 80, lstat 6 -, poll 7 -, lseek 8 62,
mmap 9 222, mprotect 10 226, munmap 11 215, brk 12 214, rt_sigaction 13 134, rt_sigprocmask 14 135,
rt_sigreturn 15 139, pread64 17 67, pwrite64 18 68, readv 19 65, writev 20 66, preadv 295 69,
pwritev 296 70, preadv2 327 286, pwritev2 328 287, access 21 -, pipe 22 -, pipe2 293 59,
select 23 -, pselect6 270 72, ppoll 271 73, sched_yield 24 124, mremap 25 216, msync 26 227,
madvise 28 233, dup 32 23, dup2 33 -, dup3 292 24, pause 34 -, nanosleep 35 101,
clock_nanosleep 230 115, getitimer 36 102, setitimer 38 103, alarm 37 -, getpid 39 172,
getppid 110 173, gettid 186 178, sendfile 40 71, exit 60 93, exit_group 231 94, uname 63 160,
flock 73 32, fsync 74 82, fdatasync 75 83, ftruncate 77 46, getdents 78 -, getdents64 217 61,
getcwd 79 17, chdir 80 49, fchdir 81 50, rename 82 -, renameat 264 38, renameat2 316 276,
mkdir 83 -, mkdirat 258 34, rmdir 84 -, unlink 87 -, unlinkat 263 35, readlink 89 -,
readlinkat 267 78, umask 95 166, gettimeofday 96 169, getrlimit 97 163, getrusage 98 165,
sysinfo 99 179, times 100 153, getuid 102 174, getgid 104 176, geteuid 107 175, getegid 108 177,
getpgrp 111 -, getpgid 121 155, getsid 124 156, getgroups 115 158, getresuid 118 148,
getresgid 120 150, rt_sigpending 127 136, rt_sigtimedwait 128 137, rt_sigsuspend 130 133,
sigaltstack 131 132, statfs 137 43, fstatfs 138 44, getpriority 140 141, arch_prctl 158 -,
time 201 -, futex 202 98, sched_getaffinity 204 123, sched_getparam 143 121,
sched_getscheduler 145 120, sched_get_priority_max 146 125, sched_get_priority_min 147 126,
set_tid_address 218 96, restart_syscall 219 128, fadvise64 221 223, clock_gettime 228 113,
clock_getres 229 114, epoll_create 213 -, epoll_create1 291 20, epoll_ctl 233 21, epoll_wait 232 -,
epoll_pwait 281 22, epoll_pwait2 441 441, eventfd 284 -, eventfd2 290 19, newfstatat 262 79,
faccessat 269 48, faccessat2 439 439, set_robust_list 273 99, get_robust_list 274 100,
fallocate 285 47, getrandom 318 278, membarrier 324 283, statx 332 291, rseq 334 293,
close_range 436 436, copy_file_range 326 285, getcpu 309 168, wait4 61 260, waitid 247 95,
get_mempolicy 239 236,
"""
"""Calls that reach nothing but this process, its clocks, and files, which Landlock keeps."""

CHECKED = """
seccomp 317 277, clone 56 220, kill 62 129, tgkill 234 131, prlimit64 302 261, prctl 157 167,
fcntl 72 25, ioctl 16 29, open 2 -, openat 257 56,
"""
"""Calls of which only some uses are allowed."""


def numbers(table: str, cpu: str) -> dict[str, int]:
    """Return the numbers of a table's calls on a processor, ``"x86_64"`` or ``"aarch64"``."""
    column = ("x86_64", "aarch64").index(cpu) + 1
    rows = (entry.split() for entry in table.split(",") if entry.strip())
    return {row[0]: int(row[column]) for row in rows if row[column] != "-"}
