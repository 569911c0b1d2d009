/* SPDX-License-Identifier: MIT */
#pragma once

/* Standard input, output and error of a program: what its main does first and last. */

/*
 * Opens /dev/null on each of the three that is closed: the next file opened would take its place,
 * and a complaint would be written into a disk. Of such an input there is nothing to read, such an
 * error output forgets; such a standard output still fails, for a result that nobody gets is none.
 * Ends the program with 1 where that fails.
 */
void streams_open(void);

/*
 * Flushes standard output. What main ends with: code, or 1 when something that was printed did not
 * arrive; that is told on standard error in the name of the program.
 */
int streams_end(const char *program, int code) __attribute__((nonnull, warn_unused_result));
