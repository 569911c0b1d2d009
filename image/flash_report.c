/* SPDX-License-Identifier: MIT */
#include "image/flash_job.h"

#include "base/quote.h"
#include "base/text.h"
#include "cluster/model.h"
#include "image/flash_list.h"

void flash_job_describe(const struct flash_job *job, struct text *out)
{
	const struct target_facts *f = &job->target.facts;
	char size[TARGET_SIZE_LEN];

	text_addf(out, "'%s' (%s%s%s%s%s%s)", job->target.path, f->model, f->model[0] ? ", " : "",
		  f->serial[0] ? "serial " : "", f->serial, f->serial[0] ? ", " : "",
		  target_size(job->table.target_bytes, size));
}

static void report_job(const struct flash_job *job, struct text *out)
{
	const struct flash_result *result = &job->result;
	uint64_t wrote_ms = result->ms[FLASH_WRITING], read_ms = result->ms[FLASH_VERIFYING];
	char data[TARGET_SIZE_LEN], zeros[TARGET_SIZE_LEN];

	flash_job_describe(job, out);
	text_addf(out, " is now node '%s' of cluster '%s': %s written and %s made zero in %u.%u s",
		  job->node->name, job->model->name, target_size(result->data_bytes, data),
		  target_size(result->zero_bytes, zeros), (unsigned)(wrote_ms / 1000),
		  (unsigned)(wrote_ms / 100 % 10));
	if (job->verify)
		text_addf(out, ", all of it read back and compared in %u.%u s",
			  (unsigned)(read_ms / 1000), (unsigned)(read_ms / 100 % 10));
	else
		text_add(out, ", not read back");
	if (job->proof.by == FLASH_BY_SIGNATURE)
		text_addf(out, "; %s vouches for the image", job->key);
	text_add(out, "\n");
}

static void report_json(const struct flash_job *job, struct text *out)
{
	const struct flash_result *result = &job->result;

	text_add(out, "{\"node\":");
	quote_json(out, job->node->name);
	text_add(out, ",\"cluster\":");
	quote_json(out, job->model->name);
	text_addf(out,
		  ",\"image_bytes\":%llu,\"data_bytes\":%llu,\"zero_bytes\":%llu,"
		  "\"verified_bytes\":%llu,\"prepare_ms\":%llu,\"write_ms\":%llu,"
		  "\"verify_ms\":%llu,\"finish_ms\":%llu,",
		  (unsigned long long)job->source.size, (unsigned long long)result->data_bytes,
		  (unsigned long long)result->zero_bytes,
		  (unsigned long long)result->verified_bytes,
		  (unsigned long long)result->ms[FLASH_PREPARING],
		  (unsigned long long)result->ms[FLASH_WRITING],
		  (unsigned long long)result->ms[FLASH_VERIFYING],
		  (unsigned long long)result->ms[FLASH_FINISHING]);
	text_addf(out, "\"vouched\":\"%s\",", flash_vouched_name(job->proof.by));
	text_addf(out, "\"done\":%s,\"error\":", job->r == 0 ? "true" : "false");
	quote_json(out, job->r < 0 ? job->why.text : job->r > 0 ? "not begun" : "");
	text_add(out, ",");
	flash_facts_json(job->target.path, &job->target.facts, &job->verdict, out);
	text_add(out, "}");
}

void flash_report_text(const struct flash_job *jobs, size_t n, struct text *out)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (jobs[i].r == 0)
			report_job(&jobs[i], out);
}

void flash_report_json(const struct flash_job *jobs, size_t n, struct text *out)
{
	size_t i;

	text_add(out, "[");
	for (i = 0; i < n; i++) {
		text_add(out, i ? ",\n " : "\n ");
		report_json(&jobs[i], out);
	}
	text_add(out, "\n]\n");
}
