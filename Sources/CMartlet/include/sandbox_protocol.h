// The wire between the server and `martlet-sandbox`, the one privileged process.
//
// Transport: one AF_UNIX SOCK_SEQPACKET socket; one packet = one message; at most SBX_MAX_MESSAGE bytes; all numbers
// little-endian. A message is a header { u32 type, u32 sandbox } followed by fields { u32 tag, u32 length, bytes[length] }
// without padding. Descriptors travel as SCM_RIGHTS of the same packet. The server chooses sandbox ids (never 0, never
// reused) and may send CREATE and SPAWN back to back without waiting. A message that cannot be parsed is answered with
// SBX_FAILED and harms nothing. End of file on the socket means that the server is gone: everything is killed and removed.
#ifndef MARTLET_SANDBOX_PROTOCOL_H
#define MARTLET_SANDBOX_PROTOCOL_H

enum {
  SBX_VERSION = 3,
  SBX_MAX_MESSAGE = 131072,
  SBX_MAX_FDS = 16,
};

enum sbx_type {
  // Server -> sandbox process.
  SBX_HELLO = 1,    // VERSION. Answer: WELCOME.
  SBX_CREATE = 2,   // limits, MOUNT*, LISTEN*. Answer: CREATED with descriptors, or FAILED.
  SBX_SPAWN = 3,    // PROCESS, ARG+, ENV*, CWD; one descriptor: stdout and stderr. Answer: SPAWNED or FAILED (exec errors too).
  SBX_SIGNAL = 4,   // PROCESS, SIGNO. No answer; an unknown process is ignored.
  SBX_RESET = 5,    // Kill every process, keep /tmp, network namespace, cgroups and descriptors. Answer: RESET_DONE.
  SBX_DESTROY = 6,  // Kill every process and remove everything. Answer: DESTROYED.
  SBX_CONNECT = 7,  // PROCESS (any number, for the answer), LISTEN: a port on 127.0.0.1 inside. Answer: CONNECTED or FAILED.
  SBX_ZYGOTE = 8,   // MOUNT*, ARG+, ENV*, CWD: a program of ours that is up and can be forked into sandboxes. Answer: ZYGOTE_READY or
                    // FAILED. The number is of the same kind as a sandbox's; it is ended by DESTROY, or by itself: DESTROYED.
  SBX_LEVEL = 9,    // for a zygote: LEVEL forks to be ready ahead. No answer.
  SBX_FIGURES = 10, // Answer: FIGURES_ARE.
  SBX_GRAFT = 11,   // The fields of CREATE, of a sandbox that runs: the same, but binds where it has empty directories. They are mounted
                    // there before its processes' eyes. Answer: GRAFTED or FAILED, and then the sandbox is as it was before or broken.
  SBX_BASE = 12,    // MOUNT*, LISTEN*: what most orders to CREATE begin with, in this order. It is made ahead. No answer, unless FAILED.

  // Sandbox process -> server.
  SBX_WELCOME = 101,     // VERSION, GUARANTEE*
  SBX_CREATED = 102,     // FD_KINDS, one byte per descriptor in the order of the SCM_RIGHTS array
  SBX_SPAWNED = 103,     // PROCESS
  SBX_RESET_DONE = 105,  // FD_KINDS: new listeners where the network could not be kept (without root), else none
  SBX_DESTROYED = 106,
  SBX_FAILED = 107,      // REQUEST (type of the message), PROCESS if any, ERRNO, STAGE
  SBX_CONNECTED = 108,   // PROCESS; one descriptor: a non-blocking TCP socket that is connected or about to be
  SBX_ZYGOTE_READY = 109,
  SBX_EXITED = 110,      // PROCESS, STATUS (as wait(2) gives it), OOM (1 if the memory limit killed in this sandbox since its last start or reset)
  SBX_FIGURES_ARE = 111,  // FIGURE*
  SBX_GRAFTED = 112,
};

enum sbx_tag {
  SBX_TAG_VERSION = 1,    // u32
  SBX_TAG_GUARANTEE = 2,  // text "name\tyes|no\thow it was checked"
  SBX_TAG_MEMORY = 3,     // u64 bytes the processes may use, files in /tmp not counted
  SBX_TAG_TMP = 4,        // u64 bytes of /tmp
  SBX_TAG_CPU = 5,        // u32 thousandths of a core
  SBX_TAG_PIDS = 6,       // u32 processes and threads
  SBX_TAG_NOFILE = 7,     // u32 descriptors of a process
  SBX_TAG_HOSTNAME = 8,   // text
  SBX_TAG_MOUNT = 9,      // u8 enum sbx_mount, then source NUL target NUL
  SBX_TAG_LISTEN = 10,    // u16 port on 127.0.0.1 inside (0 without a network namespace: any free port of the host); perhaps with one
                          // more byte, enum sbx_listen
  SBX_TAG_NETWORK = 11,   // u32 enum sbx_network
  SBX_TAG_PROCESS = 12,   // u32 chosen by the server, unique within the sandbox
  SBX_TAG_ARG = 13,       // text, repeated
  SBX_TAG_ENV = 14,       // text NAME=VALUE, repeated; nothing else is in the environment
  SBX_TAG_CWD = 15,       // text
  SBX_TAG_SIGNO = 16,     // u32
  SBX_TAG_FD_KINDS = 17,  // u8 enum sbx_fd, repeated
  SBX_TAG_REQUEST = 18,   // u32
  SBX_TAG_ERRNO = 19,     // u32
  SBX_TAG_STAGE = 20,     // text: the step that failed, such as "mount /var/task"
  SBX_TAG_STATUS = 21,    // u32
  SBX_TAG_OOM = 22,       // u32 0 or 1
  SBX_TAG_ZYGOTE = 23,    // u32 in CREATE and SPAWN: the program is to be forked from this zygote, which runs the same one. Where that
                          // cannot be done it is executed.
  SBX_TAG_LEVEL = 24,     // u32
  SBX_TAG_FIGURE = 25,    // text "name\tvalue"
  SBX_TAG_FOLLOWS = 26,   // u32 0 or 1 in SPAWN: what GRAFT mounts upon the program's directory becomes its directory. It shares that with
                          // init from its start to its end; one program of a sandbox at most.
  SBX_TAG_SNAPSHOT = 27,  // u32 1 in CREATE: the one program that is SPAWNed here can be forked into sandboxes that name this one as their
                          // zygote, once it is up: ZYGOTE_READY. It has no init, so no RESET and no CONNECT; only with full isolation.
  SBX_TAG_YIELDS = 28,    // u32 1 in CREATE: its processes give way to whoever else wants a processor, until CPU_IDLE is told otherwise
};

enum sbx_mount {
  SBX_MOUNT_BIND = 1,     // directory or file of the host, read-only, nosuid, nodev; source must lie under an --expose directory
  SBX_MOUNT_SYMLINK = 2,  // source = what the link says
  SBX_MOUNT_DIRECTORY = 3,  // an empty directory (source ignored)
  SBX_MOUNT_FILE = 4,     // a small regular file whose content is `source`
  SBX_MOUNT_WRITABLE = 5, // directory of the host, nosuid, nodev; source must be a --writable directory or lie below one; its
                          // owner, who must not be root, is the programs' user inside
};

enum sbx_listen {
  SBX_LISTEN_LOOPBACK = 0,   // TCP on 127.0.0.1
  SBX_LISTEN_LINK = 1,       // TCP on 169.254.79.129, which is on the loopback interface
  SBX_LISTEN_DATAGRAMS = 2,  // UDP on 169.254.79.129; without a network namespace these two are on 127.0.0.1
};

enum sbx_network {
  SBX_NETWORK_LOOPBACK = 0,  // loopback only
  SBX_NETWORK_OUTBOUND = 1,  // loopback, and the outside world through the host
};

enum sbx_fd {
  SBX_FD_LISTENER = 1,   // one per LISTEN, in their order: bound, listening (but for UDP), non-blocking
  SBX_FD_FREEZE_V1 = 2,  // write "FROZEN" / "THAWED"
  SBX_FD_FREEZE_V2 = 3,  // write "1" / "0"
  SBX_FD_CPU_V1 = 4,     // cpu.cfs_quota_us: write microseconds per 20,000 us period, or "-1"
  SBX_FD_CPU_V2 = 5,     // cpu.max: write "QUOTA 20000" or "max 20000"
  SBX_FD_MEMORY_PEAK = 6,  // pread: bytes, a number and a newline; files in /tmp are counted in it
  SBX_FD_TMP = 7,        // a directory descriptor (O_PATH or O_RDONLY) on /tmp for fstatfs
  SBX_FD_CPU_IDLE = 8,   // where YIELDS was asked for and the kernel can (5.15): write "0" / "1"
};

#endif
