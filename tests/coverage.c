/* SPDX-License-Identifier: MIT */

/*
 * Of `make cov` alone: a child that ends by _exit(2) or by a failed assertion writes down first
 * what it ran, as a program that returns from main does. Linked in by --wrap, not counted itself.
 */

void __gcov_dump(void);
void __real__exit(int status) __attribute__((noreturn));
void __wrap__exit(int status) __attribute__((noreturn));
void __real___assert_fail(const char *what, const char *file, unsigned line, const char *function)
	__attribute__((noreturn));
void __wrap___assert_fail(const char *what, const char *file, unsigned line, const char *function)
	__attribute__((noreturn));

void __wrap__exit(int status)
{
	__gcov_dump();
	__real__exit(status);
}

void __wrap___assert_fail(const char *what, const char *file, unsigned line, const char *function)
{
	__gcov_dump();
	__real___assert_fail(what, file, line, function);
}
