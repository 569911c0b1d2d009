/* SPDX-License-Identifier: MIT */
#include "image/stick.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/text.h"

enum { PASSPHRASE = 200 }; /* the installer reads a line of that length from a console */

int stick_passphrase(const char *path, struct text *out, struct fault *why)
{
	const char *name = strcmp(path, "-") == 0 ? "/dev/stdin" : path;
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	char buf[PASSPHRASE + 1];
	ssize_t n = fd < 0 ? -1 : read(fd, buf, sizeof(buf) - 1);

	drop_fd(&fd);
	if (n < 0)
		return fault_errno(why, errno, "passphrase: '%s'", path);
	text_add_n(out, buf, (size_t)n);
	explicit_bzero(buf, sizeof(buf));
	out->len = strcspn(text_str(out), "\r\n");
	if (out->data)
		out->data[out->len] = '\0';
	if (out->len == 0 || out->len >= PASSPHRASE)
		return fault_set(why, EINVAL,
				 "passphrase: the first line of '%s' must have 1 to "
				 "%d bytes",
				 path, PASSPHRASE - 1);
	return text_error(out);
}
