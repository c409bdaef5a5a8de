/*
 * denied.c - data: the system calls that the monitor gives up, for itself and all it starts.
 * Runs as: nobody; confine.c reads it.
 */
#include <seccomp.h>

#include "launcher/start/confine.h"

/* Each would need a capability that the monitor has dropped: the filter is the second lock. */
const struct denied_call denied_calls[] = {
	{ SCMP_SYS(init_module), "kernel code" },
	{ SCMP_SYS(finit_module), "kernel code" },
	{ SCMP_SYS(delete_module), "kernel code" },
	{ SCMP_SYS(kexec_load), "another kernel" },
	{ SCMP_SYS(kexec_file_load), "another kernel" },
	{ SCMP_SYS(reboot), "the machine's end" },
	{ SCMP_SYS(swapon), "memory to disk" },
	{ SCMP_SYS(swapoff), "memory to disk" },
	{ SCMP_SYS(acct), "a file the kernel writes" },
	{ SCMP_SYS(settimeofday), "the clock" },
	{ SCMP_SYS(clock_settime), "the clock" },
	{ SCMP_SYS(iopl), "hardware ports" },
	{ SCMP_SYS(ioperm), "hardware ports" },
	{ SCMP_SYS(quotactl), "disk quotas" },
	{ SCMP_SYS(open_by_handle_at), "files without a path check" },
	{ SCMP_SYS(bpf), "code in the kernel" },
	{ SCMP_SYS(vhangup), "others' terminals" },
};
const size_t denied_calls_count = ELEMENTSOF(denied_calls);
