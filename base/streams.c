/* SPDX-License-Identifier: MIT */
#include "base/streams.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/macros.h"

void streams_open(void)
{
	static const int modes[] = {
		[STDIN_FILENO] = O_RDONLY,
		[STDOUT_FILENO] = O_RDONLY,
		[STDERR_FILENO] = O_WRONLY,
	};
	int fd;

	/* The lowest that is free is taken, and all below are open by now. */
	for (fd = 0; fd < (int)COUNT(modes); fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", modes[fd]) != fd)
			_exit(1);
}

int streams_end(const char *program, int code)
{
	int error = fflush(stdout) == 0 ? 0 : errno;

	/* A flush between may have failed, and this one had nothing left to do. */
	if (!error && !ferror(stdout))
		return code;
	fprintf(stderr, "%s: standard output: %s\n", program,
		error ? strerror(error) : "not all could be written");
	return 1;
}
