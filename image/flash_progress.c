/* SPDX-License-Identifier: MIT */
#include "image/flash_write.h"

#include "base/text.h"

static const char *const names[] = {
	[FLASH_WAITING] = "waiting",	 [FLASH_PREPARING] = "preparing",
	[FLASH_WRITING] = "writing",	 [FLASH_VERIFYING] = "reading back",
	[FLASH_FINISHING] = "finishing", [FLASH_FINISHED] = "finished",
};

const char *flash_phase_name(enum flash_phase phase)
{
	return phase >= 0 && phase < FLASH_N_PHASES ? names[phase] : "?";
}

/* Below a second any rate is a guess. */
enum { RATE_FROM_MS = 1000 };

void flash_progress_text(enum flash_phase phase, uint64_t done, uint64_t total, uint64_t elapsed_ms,
			 struct text *out)
{
	uint64_t per_s, left_s;

	text_add(out, flash_phase_name(phase));
	if (total == 0)
		return;
	done = done < total ? done : total;
	text_addf(out, " %u %%", (unsigned)((unsigned __int128)done * 100 / total));
	if (phase != FLASH_WRITING && phase != FLASH_VERIFYING)
		return;
	if (elapsed_ms < RATE_FROM_MS || done < 1000000)
		return;
	per_s = done / elapsed_ms * 1000;
	text_addf(out, ", %llu.%llu MB/s", (unsigned long long)(per_s / 1000000),
		  (unsigned long long)(per_s / 100000 % 10));
	left_s = per_s ? (total - done) / per_s : 0;
	text_addf(out, ", %llu:%02u left", (unsigned long long)(left_s / 60),
		  (unsigned)(left_s % 60));
}
