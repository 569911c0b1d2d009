/* SPDX-License-Identifier: MIT */
#pragma once

struct model_node;
struct parse;
struct yaml;

/* Whether a device of the node's own `network:` carries the node's address; complains when not. */
void parse_own_check(struct parse *p, const struct yaml *own, const struct model_node *node);
