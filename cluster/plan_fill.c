/* SPDX-License-Identifier: MIT */
#include "cluster/plan.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "base/fault.h"
#include "base/macros.h"
#include "base/quote.h"
#include "base/text.h"
#include "cluster/plan_parts.h"
#include "cluster/seed.h"
#include "storage/storage.h"

/* A place taken apart: FORM[:USER]:PATH. */
struct place {
	struct text form, user, path;
};

static void place_done(struct place *p)
{
	text_done(&p->form);
	text_done(&p->user);
	text_done(&p->path);
}

void plan_place(const char *form, const char *path, struct text *out)
{
	text_addf(out, PLAN_PLACE "%s:%s" PLAN_PLACE, form, path);
}

/* What is lost of it, out lacks. */
static void take_apart(const char *s, size_t n, struct place *ret, struct text *out)
{
	size_t form = strcspn(s, ":" PLAN_PLACE);
	size_t path = n;

	while (path > 0 && s[path - 1] != ':')
		path--;
	text_add_n(&ret->form, s, form);
	text_add_n(&ret->path, s + path, n - path);
	if (path > form + 1)
		text_add_n(&ret->user, s + form + 1, path - form - 2);
	text_inherit(out, &ret->form);
	text_inherit(out, &ret->path);
	text_inherit(out, &ret->user);
}

static void base64(const char *data, size_t len, struct text *out)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t i;

	for (i = 0; i < len; i += 3) {
		size_t n = len - i;
		uint32_t v = 0;
		char four[4];
		size_t k;

		if (n > 3)
			n = 3;
		for (k = 0; k < n; k++)
			v |= (uint32_t)(unsigned char)data[i + k] << (16 - 8 * k);
		for (k = 0; k < 4; k++)
			four[k] = k <= n ? letters[v >> (18 - 6 * k) & 63] : '=';
		text_add_n(out, four, 4);
	}
}

static int fill_word(const struct place *p, const struct seed_file *file, struct text *out,
		     struct fault *why)
{
	static const char space[] = " \t\r\n";
	size_t from = strspn(file->data, space);
	size_t n = strspn(file->data + from, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
					     "0123456789._+/=-");
	size_t rest = strspn(file->data + from + n, space);

	if (n == 0 || from + n + rest != file->len)
		return fault_set(why, EBADMSG, "secrets/%s must hold one plain word",
				 text_str(&p->path));
	text_add_n(out, file->data + from, n);
	return 0;
}

/* One line that needs no quoting where it goes. */
static int fill_line(const struct place *p, const struct seed_file *file, struct text *out,
		     struct fault *why)
{
	scoped(text_wipe) struct text line = { 0 };
	const char *flaw;

	text_add_n(&line, file->data, file->len);
	text_chomp(&line);
	if (text_error(&line) < 0)
		return fault_errno(why, ENOMEM, "secrets/%s", text_str(&p->path));
	flaw = strlen(text_str(&line)) < line.len ? "holds a zero byte"
						  : storage_password_flaw(text_str(&line));
	if (flaw)
		return fault_set(why, EBADMSG, "secrets/%s %s", text_str(&p->path), flaw);
	text_add_n(out, text_str(&line), line.len);
	return 0;
}

static int fill_base64(const struct place *p, const struct seed_file *file, struct text *out,
		       struct fault *why)
{
	(void)p;
	(void)why;
	base64(file->data, file->len, out);
	return 0;
}

/* A password without the newline that editors leave behind it. */
static void add_password(const struct seed_file *file, struct text *out)
{
	scoped(text_wipe) struct text password = { 0 };

	text_add_n(&password, file->data, file->len);
	text_chomp(&password);
	if (text_error(&password) < 0)
		out->error = text_error(&password);
	text_add_n(out, text_str(&password), password.len);
}

static int fill_basic(const struct place *p, const struct seed_file *file, struct text *out,
		      struct fault *why)
{
	scoped(text_wipe) struct text both = { 0 };

	text_addf(&both, "%s:", text_str(&p->user));
	add_password(file, &both);
	if (text_error(&both) < 0)
		return fault_errno(why, ENOMEM, "secrets/%s", text_str(&p->path));
	base64(text_str(&both), both.len, out);
	return 0;
}

/* Docker's file: the words apart for those who read them, and together for those who read that. */
static int fill_pull(const struct place *p, const struct seed_file *file, struct text *out,
		     struct fault *why)
{
	const char *user = text_str(&p->user);
	size_t n = strcspn(user, "/");
	scoped(text_done) struct text host = { 0 };
	scoped(text_wipe) struct text password = { 0 };
	scoped(text_wipe) struct text both = { 0 };
	scoped(text_wipe) struct text json = { 0 };

	text_add_n(&host, user, n);
	user += n + (user[n] == '/');
	add_password(file, &password);
	text_addf(&both, "%s:%s", user, text_str(&password));
	text_add(&json, "{\"auths\":{");
	quote_json(&json, text_str(&host));
	text_add(&json, ":{\"username\":");
	quote_json(&json, user);
	text_add(&json, ",\"password\":");
	quote_json(&json, text_str(&password));
	text_add(&json, ",\"auth\":\"");
	base64(text_str(&both), both.len, &json);
	text_add(&json, "\"}}}");
	if (text_error(&host) < 0 || text_error(&password) < 0 || text_error(&both) < 0 ||
	    text_error(&json) < 0)
		return fault_errno(why, ENOMEM, "secrets/%s", text_str(&p->path));
	base64(text_str(&json), json.len, out);
	return 0;
}

static int fill_yaml(const struct place *p, const struct seed_file *file, struct text *out,
		     struct fault *why)
{
	scoped(text_wipe) struct text word = { 0 };

	add_password(file, &word);
	if (text_error(&word) < 0)
		return fault_errno(why, ENOMEM, "secrets/%s", text_str(&p->path));
	if (strlen(text_str(&word)) != word.len)
		return fault_set(why, EBADMSG, "secrets/%s is not text", text_str(&p->path));
	quote_yaml(out, text_str(&word));
	return 0;
}

static const struct {
	const char *form;
	int (*fill)(const struct place *p, const struct seed_file *file, struct text *out,
		    struct fault *why);
} forms[] = {
	{ "word", fill_word },	 { "line", fill_line }, { "base64", fill_base64 },
	{ "basic", fill_basic }, { "pull", fill_pull }, { "yaml", fill_yaml },
};

static int fill(const char *s, size_t n, const struct seed *seed, struct text *out,
		struct fault *why)
{
	scoped(place_done) struct place p = { 0 };
	scoped(text_done) struct text path = { 0 };
	const struct seed_file *file;
	size_t i;

	take_apart(s, n, &p, &path);
	text_addf(&path, "secrets/%s", text_str(&p.path));
	if (text_error(&path) < 0)
		return fault_errno(why, ENOMEM, "template");
	file = seed_find(seed, text_str(&path));
	if (!file)
		return fault_set(why, ENOENT, "the seed holds no %s", text_str(&path));
	for (i = 0; i < COUNT(forms); i++)
		if (strcmp(forms[i].form, text_str(&p.form)) == 0)
			return forms[i].fill(&p, file, out, why);
	return fault_set(why, EINVAL, "a template asks for %s in the unknown form '%s'",
			 text_str(&path), text_str(&p.form));
}

int plan_fill(const char *content, const struct seed *seed, struct text *out, struct fault *why)
{
	for (;;) {
		size_t n = strcspn(content, PLAN_PLACE);
		int r;

		text_add_n(out, content, n);
		content += n;
		if (!*content)
			return text_error(out) < 0 ? fault_errno(why, ENOMEM, "template") : 0;
		n = strcspn(++content, PLAN_PLACE);
		if (!content[n])
			return fault_set(why, EINVAL, "a template's place has no end");
		r = fill(content, n, seed, out, why);
		if (r < 0)
			return r;
		content += n + 1;
	}
}

static void veil(const char *s, size_t n, struct text *out)
{
	scoped(place_done) struct place p = { 0 };
	bool is_plain;

	take_apart(s, n, &p, out);
	is_plain = strcmp(text_str(&p.form), "word") == 0 ||
		   strcmp(text_str(&p.form), "line") == 0 || strcmp(text_str(&p.form), "yaml") == 0;
	text_addf(out, "<%s%s%ssecrets/%s>", is_plain ? "" : "base64 of ", text_str(&p.user),
		  p.user.len ? ":" : "", text_str(&p.path));
}

void plan_veil(const char *content, struct text *out)
{
	while (*content) {
		size_t n = strcspn(content, PLAN_PLACE);

		text_add_n(out, content, n);
		content += n;
		if (!*content)
			return;
		n = strcspn(++content, PLAN_PLACE);
		veil(content, n, out);
		content += n + (content[n] != '\0');
	}
}
