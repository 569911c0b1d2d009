/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

struct yaml;

/*
 * Whether what is wanted is in what is there: each key of a mapping with its value, each item of a
 * list somewhere in the other list. What else is there does not matter.
 */
bool json_contains(const struct yaml *have, const struct yaml *want);
