/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A fault: an errno and the sentence that a person will read. Who finds the error sets it, each
 * caller that knows more puts its context in front, main prints it. It lives on the stack of main
 * and allocates nothing.
 */
struct fault {
	int code; /* positive errno, 0 while nothing is wrong */
	char text[1024];
};

/* Sets code and text; both signs of code are accepted. Returns -code. */
int fault_set(struct fault *why, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4), nonnull(1, 3)));

/* Puts "text: " in front of what is there. Returns the negative code that the fault bears. */
int fault_wrap(struct fault *why, const char *format, ...)
	__attribute__((format(printf, 2, 3), nonnull(1, 2)));

/* Sets code with the system's own words behind the text: "text: No such file or directory". */
int fault_errno(struct fault *why, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4), nonnull(1, 3)));

#ifdef __clang_analyzer__
/* What a fault returns is negative: the analyzer does not see it from here. */
static inline int fault_is_negative(int r)
{
	if (r >= 0)
		__builtin_unreachable();
	return r;
}
#define fault_set(...) fault_is_negative(fault_set(__VA_ARGS__))
#define fault_wrap(...) fault_is_negative(fault_wrap(__VA_ARGS__))
#define fault_errno(...) fault_is_negative(fault_errno(__VA_ARGS__))
#endif
