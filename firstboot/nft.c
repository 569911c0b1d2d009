/* SPDX-License-Identifier: MIT */
#include "firstboot/nft.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <nftables/libnftables.h>

#include "base/fault.h"
#include "base/macros.h"
#include "base/text.h"

DEFINE_DROP(nft, struct nft_ctx *, nft_ctx_free)

static struct nft_ctx *quiet_context(void)
{
	struct nft_ctx *nft = nft_ctx_new(NFT_CTX_DEFAULT);

	if (nft) {
		nft_ctx_buffer_output(nft);
		nft_ctx_buffer_error(nft);
	}
	return nft;
}

static int pass(const char *rules, bool dry, struct fault *why)
{
	scoped(drop_nft) struct nft_ctx *nft = quiet_context();
	const char *said;

	if (!nft)
		return fault_errno(why, ENOMEM, "nftables");
	nft_ctx_set_dry_run(nft, dry);
	if (nft_run_cmd_from_buffer(nft, rules) == 0)
		return 0;
	said = nft_ctx_get_error_buffer(nft);
	return fault_set(why, EINVAL, "nftables: %.*s", (int)strcspn(said, "\n"), said);
}

bool nft_first_table(const char *rules, char *ret_table, size_t size)
{
	const char *line, *brace, *end;

	for (line = rules; *line; line = *end ? end + 1 : end) {
		end = line + strcspn(line, "\n");
		brace = memchr(line, '{', (size_t)(end - line));
		if (strncmp(line, "table ", 6) != 0 || !brace)
			continue;
		while (brace > line && brace[-1] == ' ')
			brace--;
		if ((size_t)(brace - line) >= size)
			return false;
		snprintf(ret_table, size, "%.*s", (int)(brace - line), line);
		return true;
	}
	return false;
}

int nft_list(const char *rules, struct text *out, struct fault *why)
{
	scoped(drop_nft) struct nft_ctx *nft = quiet_context();
	scoped(text_done) struct text list = { 0 };
	char table[128];

	if (!nft)
		return fault_errno(why, ENOMEM, "nftables");
	if (!nft_first_table(rules, table, sizeof(table)))
		return fault_set(why, EINVAL, "the rule set defines no table");
	/* Counts change with every packet; what is compared must not. */
	nft_ctx_output_set_flags(nft, NFT_CTX_OUTPUT_STATELESS);
	text_addf(&list, "list %s", table);
	if (text_error(&list) < 0)
		return fault_errno(why, ENOMEM, "nftables");
	if (nft_run_cmd_from_buffer(nft, text_str(&list)) != 0)
		return fault_set(why, ENOENT, "nftables: there is no %s", table);
	text_add(out, nft_ctx_get_output_buffer(nft));
	return text_error(out) < 0 ? fault_errno(why, ENOMEM, "nftables") : 0;
}

/* "\tchain input {" -> "input"; NULL for any other line. */
static const char *chain_name(const char *line, size_t len, size_t *ret_n)
{
	static const char word[] = "chain ";
	const char *end = line + len;

	line += strspn(line, " \t");
	if (len == 0 || end[-1] != '{' || strncmp(line, word, strlen(word)) != 0)
		return NULL;
	line += strlen(word);
	*ret_n = strcspn(line, " {\n");
	return line;
}

void nft_shape(const char *rules, struct text *out)
{
	const char *line, *name = NULL;
	size_t len, n = 0, n_rules = 0;

	for (line = rules; *line; line += len + (line[len] == '\n')) {
		const char *word = line + strspn(line, " \t");

		len = strcspn(line, "\n");
		if (!name) {
			name = chain_name(line, len, &n);
			n_rules = 0;
		} else if (*word == '}') {
			text_addf(out, "%.*s: %zu\n", (int)n, name, n_rules);
			name = NULL;
		} else if (*word != '\n' && strncmp(word, "type ", 5) != 0) {
			n_rules++;
		}
	}
}

static int verify(const char *rules, struct fault *why)
{
	scoped(text_done) struct text listing = { 0 };
	scoped(text_done) struct text wanted = { 0 };
	scoped(text_done) struct text found = { 0 };
	int r = nft_list(rules, &listing, why);

	if (r < 0)
		return r;
	nft_shape(rules, &wanted);
	nft_shape(text_str(&listing), &found);
	if (text_error(&wanted) < 0 || text_error(&found) < 0)
		return fault_errno(why, ENOMEM, "nftables");
	if (strcmp(text_str(&wanted), text_str(&found)) != 0)
		return fault_set(why, EIO, "nftables: the kernel took the rules but has others");
	return 0;
}

int nft_load(const char *rules, struct fault *why)
{
	int r = pass(rules, true, why);

	if (r >= 0)
		r = pass(rules, false, why);
	return r < 0 ? r : verify(rules, why);
}
