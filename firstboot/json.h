/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

struct text;
struct yaml;

/*
 * Whether what is wanted is in what is there: each key of a mapping with its value, each item of a
 * list somewhere in the other list. What else is there does not matter.
 */
bool json_contains(const struct yaml *have, const struct yaml *want);

/*
 * What a field manager applied to an object (fieldsV1 of its managedFields), or NULL when it never
 * did, or nothing of it is left.
 */
const struct yaml *json_managed(const struct yaml *object, const char *manager);

/*
 * Whether all of that is still in what is wanted. What is not was wanted once: applying what is
 * wanted takes it away.
 */
bool json_owned(const struct yaml *fields, const struct yaml *want);

/* As JSON again; numbers and words without quotes stay what they are. */
void json_write(const struct yaml *y, struct text *out);
