/* SPDX-License-Identifier: MIT */
#include <libsmbclient.h>
#include <stdio.h>

int main(int argc, char **argv)
{
	(void)argc;
	fprintf(stderr, "%s: libsmbclient %s: not written yet\n", argv[0], smbc_version());
	return 2;
}
