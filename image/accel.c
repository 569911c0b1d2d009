/* SPDX-License-Identifier: MIT */
#include "image/accel.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/run.h"

/* Real KVM needs a third of a second, nearly all of it the BIOS. */
enum { PROBE_LIMIT_MS = 5000, BOOT_SECTOR_BYTES = 512 };

/*
 * The guest, a boot sector: into long mode with paging on, thirty million instructions with a
 * stack (10 ms of a real processor, a minute where each is emulated), then the exit port.
 */
__asm__(".pushsection .rodata\n"
	"	.code16\n"
	"accel_sector:\n"
	"	cli\n"
	"	xorw %ax, %ax\n"
	"	movw %ax, %ds\n"
	"	movw %ax, %es\n"
	"	cld\n"
	/* page tables at 0x1000: the first 2 MiB, one to one */
	"	movl $0x1000, %edi\n"
	"	movl %edi, %cr3\n"
	"	movw $0x1800, %cx\n"
	"	rep stosw\n"
	"	movw $0x2003, 0x1000\n"
	"	movw $0x3003, 0x2000\n"
	"	movw $0x0083, 0x3000\n"
	/* CR4.PAE, EFER.LME, then CR0.PE and PG at once */
	"	movl $0x20, %eax\n"
	"	movl %eax, %cr4\n"
	"	movl $0xc0000080, %ecx\n"
	"	rdmsr\n"
	"	orw $0x100, %ax\n"
	"	wrmsr\n"
	"	lgdtl 0x7c00 + accel_gdtr - accel_sector\n"
	"	movl %cr0, %eax\n"
	"	orl $0x80000001, %eax\n"
	"	movl %eax, %cr0\n"
	"	ljmpl $8, $(0x7c00 + accel_long - accel_sector)\n"
	"	.code64\n"
	"accel_long:\n"
	"	movl $16, %eax\n"
	"	movl %eax, %ss\n"
	"	movl $0x7000, %esp\n"
	"	movl $10000000, %ebx\n"
	"1:	pushq %rbx\n"
	"	popq %rax\n"
	"	decl %ebx\n"
	"	jnz 1b\n"
	"	movb $0x2a, %al\n"
	"	outb %al, $0xf4\n"
	"2:	hlt\n"
	"	jmp 2b\n"
	"	.balign 8\n"
	"accel_gdt:\n"
	"	.quad 0, 0x00209a0000000000, 0x0000920000000000\n"
	"accel_gdtr:\n"
	"	.word 23\n"
	"	.long 0x7c00 + accel_gdt - accel_sector\n"
	"	.fill 510 - (. - accel_sector), 1, 0\n"
	"	.word 0xaa55\n"
	".popsection\n");

extern const char accel_sector[BOOT_SECTOR_BYTES] __attribute__((visibility("hidden")));

/* isa-debug-exit ends QEMU with (value << 1) | 1: the value of the boot sector is 0x2a. */
#define GUEST_SAYS "exit status 85"

static int run_guest(int sector, struct fault *why)
{
	char drive[96];
	const char *argv[] = { "qemu-system-x86_64",
			       "-nodefaults",
			       "-no-user-config",
			       "-display",
			       "none",
			       "-m",
			       "32",
			       "-M",
			       "pc",
			       "-accel",
			       "kvm",
			       "-device",
			       "isa-debug-exit,iobase=0xf4,iosize=1",
			       "-drive",
			       drive,
			       NULL };
	struct run guest = { .argv = argv, .timeout_ms = PROBE_LIMIT_MS };

	snprintf(drive, sizeof(drive), "file=/proc/%d/fd/%d,format=raw,if=floppy,readonly=on",
		 (int)getpid(), sector);
	return run(&guest, why);
}

bool accel_kvm_works(struct fault *why)
{
	scoped(drop_fd) int sector = memfd_create("rackseed-probe", MFD_CLOEXEC);
	int r;

	if (access("/dev/kvm", R_OK | W_OK) < 0) {
		fault_errno(why, errno, "/dev/kvm");
		return false;
	}
	if (sector < 0 || write(sector, accel_sector, BOOT_SECTOR_BYTES) != BOOT_SECTOR_BYTES) {
		fault_errno(why, errno, "no memory file for the probe");
		return false;
	}
	r = run_guest(sector, why);
	if (r == -EREMOTEIO && strstr(why->text, GUEST_SAYS))
		return true;
	if (r == -ETIMEDOUT)
		fault_set(why, ETIMEDOUT,
			  "/dev/kvm opens, but a guest under it did not come up in %d s",
			  PROBE_LIMIT_MS / 1000);
	return false;
}
