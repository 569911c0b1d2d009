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

int nft_load(const char *rules, struct fault *why)
{
	int r = pass(rules, true, why);

	return r < 0 ? r : pass(rules, false, why);
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

bool nft_is_loaded(const char *rules)
{
	scoped(drop_nft) struct nft_ctx *nft = quiet_context();
	scoped(text_done) struct text list = { 0 };
	char table[128];

	if (!nft || !nft_first_table(rules, table, sizeof(table)))
		return false;
	text_addf(&list, "list %s", table);
	return text_error(&list) == 0 && nft_run_cmd_from_buffer(nft, text_str(&list)) == 0;
}
