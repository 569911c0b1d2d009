/* SPDX-License-Identifier: MIT */
#pragma once

/* The four macros of the house (the fifth, CASES, belongs to the tests). */

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Calls fn(&variable) when the variable leaves its scope. */
#define scoped(fn) __attribute__((cleanup(fn)))

/* Hands a pointer over: yields it and leaves NULL behind. */
#define take(pointer)                                                                              \
	({                                                                                         \
		__typeof__(pointer) taken_ = (pointer);                                            \
		(pointer) = NULL;                                                                  \
		taken_;                                                                            \
	})

/* Defines drop_NAME(TYPE *p) for scoped(): releases *p with free_fn unless it is NULL. */
#define DEFINE_DROP(name, type, free_fn)                                                           \
	static inline void drop_##name(type *p)                                                    \
	{                                                                                          \
		if (*p)                                                                            \
			free_fn(*p);                                                               \
	}
