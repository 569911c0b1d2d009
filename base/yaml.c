/* SPDX-License-Identifier: MIT */
#include "base/yaml.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libfyaml.h>

#include "base/macros.h"
#include "base/text.h"
#include "base/yaml_inside.h"

DEFINE_DROP(parser, struct fy_parser *, fy_parser_destroy)
DEFINE_DROP(diag, struct fy_diag *, fy_diag_destroy)

/* What is being read: the library's parser and where we stand in the tree. */
struct reader {
	struct fy_parser *parser;
	struct fy_diag *diag;
	struct fy_event *event; /* the one taken last */
	struct yaml_error *error;
	const char *bytes;
	size_t len, given;   /* how much of the bytes the library has had */
	size_t given_before; /* the same, at the last event */
	bool starved;
	/* A place that only moves on: marks know lines and columns, but offsets only in small
	 * files. */
	size_t at;
	int at_line, at_column;
	size_t scalar_end; /* of the last scalar, as an offset */
	size_t n_values;
	unsigned line, column; /* of the last value that had a place */
};

/*
 * The library keeps every token that might still turn out to be part of a key; a hostile file makes
 * it keep all of them. So it is fed by hand, and no more than this without an event coming out.
 */
enum { MAX_AHEAD = 256 << 10, FEED = 16 << 10 };

int yaml_refuse(struct yaml_error *e, unsigned line, unsigned column, const char *code,
		const char *format, ...)
{
	va_list ap;

	e->line = line;
	e->column = column;
	e->code = code;
	va_start(ap, format);
	vsnprintf(e->message, sizeof(e->message), format, ap);
	va_end(ap);
	return -EBADMSG;
}

static unsigned place(int from_zero)
{
	return from_zero < 0 ? 1 : (unsigned)from_zero + 1;
}

/* What the library complained of first, in one line. */
static int library_error(struct reader *r)
{
	void *state = NULL;
	struct fy_diag_error *e = fy_diag_errors_iterate(r->diag, &state);

	if (!e)
		return yaml_refuse(r->error, r->line, r->column, "not-yaml", "this is no YAML");
	return yaml_refuse(r->error, e->line > 0 ? (unsigned)e->line : 1,
			   e->column > 0 ? (unsigned)e->column : 1, "not-yaml",
			   "this is no YAML: %s", e->msg ? e->msg : "syntax error");
}

static ssize_t feed(void *data, void *buf, size_t count)
{
	struct reader *r = data;
	size_t n = r->len - r->given;

	/* Said as an end of the file: an error here makes the library try again for ever. */
	r->starved = r->starved || r->given - r->given_before > MAX_AHEAD;
	if (r->starved)
		return 0;
	n = n < count ? n : count;
	n = n < FEED ? n : FEED;
	memcpy(buf, r->bytes + r->given, n);
	r->given += n;
	return (ssize_t)n;
}

/* Takes the next event; the one before is released. */
static int next(struct reader *r)
{
	if (r->event)
		fy_parser_event_free(r->parser, r->event);
	r->given_before = r->given;
	r->event = fy_parser_parse(r->parser);
	if (r->starved)
		return yaml_refuse(r->error, r->line, r->column, "too-long",
				   "what begins here is longer than %d bytes", MAX_AHEAD);
	return r->event ? 0 : library_error(r);
}

static int check_event(struct reader *r, unsigned depth)
{
	struct yaml_error *e = r->error;
	struct fy_token *anchor = fy_event_get_anchor_token(r->event);
	struct fy_token *tag = fy_event_get_tag_token(r->event);

	if (r->event->type == FYET_ALIAS || anchor)
		return yaml_refuse(e, r->line, r->column, "alias",
				   "anchors and aliases are not taken: write the value out");
	if (tag)
		return yaml_refuse(e, r->line, r->column, "tag",
				   "tags are not taken: leave '!' out");
	if (depth > YAML_MAX_DEPTH)
		return yaml_refuse(e, r->line, r->column, "too-deep", "more than %d levels deep",
				   YAML_MAX_DEPTH);
	if (++r->n_values > YAML_MAX_VALUES)
		return yaml_refuse(e, r->line, r->column, "too-many", "more than %d values",
				   YAML_MAX_VALUES);
	return 0;
}

static bool is_null(const char *s)
{
	return !*s || strcmp(s, "~") == 0 || strcmp(s, "null") == 0 || strcmp(s, "Null") == 0 ||
	       strcmp(s, "NULL") == 0;
}

/* Where the header of the block that begins at start may be: its line, behind the token before. */
static size_t header_start(const struct reader *r, size_t start)
{
	size_t at = start - 1; /* the header's line ends here */

	while (at > r->scalar_end && r->bytes[at - 1] != '\n')
		at--;
	return at;
}

static int block_text(struct reader *r, size_t from, size_t to, char style, struct text *out)
{
	size_t header = from > 0 ? header_start(r, from) : 0;
	char chomp = ' ';

	if (!yaml_block_header(r->bytes + header, from - header, style, &chomp))
		return yaml_refuse(r->error, r->line, r->column, "not-yaml",
				   "only |, |-, |+, >, >- and >+ are taken before a block");
	return yaml_block_text(r->bytes + from, to - from, style, chomp, out);
}

/* The offset of a mark that lies behind all that were asked for before; false when it does not. */
static bool seek(struct reader *r, const struct fy_mark *mark, size_t *ret_offset)
{
	if (mark->line < r->at_line || (mark->line == r->at_line && mark->column < r->at_column))
		return false;
	while (r->at_line < mark->line && r->at < r->len) {
		r->at_line += r->bytes[r->at++] == '\n';
		r->at_column = 0;
	}
	while (r->at_column < mark->column && r->at < r->len && r->bytes[r->at] != '\n') {
		r->at += text_utf8(r->bytes + r->at, r->len - r->at); /* it is UTF-8 by now */
		r->at_column++;
	}
	*ret_offset = r->at;
	return r->at_line == mark->line && r->at_column == mark->column;
}

/* The scalar's text, which may hold a NUL. */
static int scalar_text(struct reader *r, struct fy_token *token, struct text *out)
{
	static const char quotes[] = { [FYSS_SINGLE_QUOTED] = '\'', [FYSS_DOUBLE_QUOTED] = '"' };
	const struct fy_mark *start = fy_token_start_mark(token);
	const struct fy_mark *end = fy_token_end_mark(token);
	enum fy_scalar_style style = fy_token_scalar_style(token);
	size_t from = 0, to = 0;
	int got;

	if (!start || !end || (start->line == end->line && start->column == end->column))
		return 0;
	if (!seek(r, start, &from) || !seek(r, end, &to))
		return yaml_refuse(r->error, r->line, r->column, "not-yaml",
				   "this text cannot be found again");
	if (style == FYSS_LITERAL || style == FYSS_FOLDED)
		got = block_text(r, from, to, style == FYSS_LITERAL ? '|' : '>', out);
	else
		got = yaml_flow_text(r->bytes + from, to - from,
				     style == FYSS_PLAIN ? '\0' : quotes[style], out);
	r->scalar_end = to;
	if (got == -EBADMSG && !r->error->code)
		return yaml_refuse(r->error, r->line, r->column, "not-yaml",
				   "this is no YAML: an escape that is none");
	return got;
}

static int read_scalar(struct reader *r, struct yaml *y)
{
	struct fy_token *token = fy_event_get_token(r->event);
	scoped(text_done) struct text text = { 0 };
	int got = token ? scalar_text(r, token, &text) : 0;

	if (got < 0)
		return got;
	if (text.len != strlen(text_str(&text)))
		return yaml_refuse(r->error, r->line, r->column, "binary", "a text holds a NUL");
	y->plain = fy_token_scalar_style(token) == FYSS_PLAIN;
	y->kind = YAML_SCALAR;
	y->text = strdup(text_str(&text));
	if (!y->text)
		return -ENOMEM;
	if (y->plain && is_null(y->text)) {
		free(take(y->text));
		y->kind = YAML_NULL;
	}
	return 0;
}

/* Room for one more item; the array grows at powers of two, so its size need not be kept. */
struct yaml *yaml_add(struct yaml *y)
{
	size_t n = y->n_items;

	if (n == 0 || (n >= 4 && (n & (n - 1)) == 0)) {
		struct yaml *items = reallocarray(y->items, n ? 2 * n : 4, sizeof(*items));

		if (!items)
			return NULL;
		y->items = items;
	}
	y->items[n] = (struct yaml){ 0 };
	y->n_items++;
	return &y->items[n];
}

static int read_value(struct reader *r, struct yaml *y, unsigned depth);

static int read_items(struct reader *r, struct yaml *y, enum fy_event_type end, unsigned depth)
{
	for (;;) {
		struct yaml *item;
		int got = next(r);

		if (got < 0 || r->event->type == end)
			return got;
		item = yaml_add(y);
		if (!item)
			return -ENOMEM;
		got = read_value(r, item, depth + 1);
		if (got < 0)
			return got;
		if (y->kind == YAML_MAPPING && y->n_items % 2 == 1 && item->kind != YAML_SCALAR)
			return yaml_refuse(r->error, item->line, item->column, "key-form",
					   "a key must be one word or text");
	}
}

static bool is_quoted(struct fy_event *event)
{
	enum fy_scalar_style style = fy_token_scalar_style(fy_event_get_token(event));

	return style == FYSS_SINGLE_QUOTED || style == FYSS_DOUBLE_QUOTED;
}

/* Fills y from the event at hand. The depth is bounded, so the recursion is. */
static int read_value(struct reader *r, struct yaml *y, unsigned depth)
{
	const struct fy_mark *mark = fy_event_start_mark(r->event);
	int got;

	if (mark) {
		r->line = place(mark->line);
		r->column = place(mark->column);
	}
	/* The mark of a quoted text is behind the quote. */
	if (mark && r->event->type == FYET_SCALAR && r->column > 1 && is_quoted(r->event))
		r->column--;
	y->line = r->line;
	y->column = r->column;
	got = check_event(r, depth);
	if (got < 0)
		return got;
	if (r->event->type == FYET_SCALAR)
		return read_scalar(r, y);
	y->kind = r->event->type == FYET_MAPPING_START ? YAML_MAPPING : YAML_SEQUENCE;
	return read_items(r, y, y->kind == YAML_MAPPING ? FYET_MAPPING_END : FYET_SEQUENCE_END,
			  depth);
}

static int read_stream(struct reader *r, struct yaml *y)
{
	int got = next(r); /* the stream's start */

	if (got == 0)
		got = next(r);
	if (got < 0)
		return got;
	if (r->event->type == FYET_STREAM_END)
		return yaml_refuse(r->error, 1, 1, "empty", "the file is empty");
	got = next(r);
	if (got == 0)
		got = read_value(r, y, 1);
	if (got == 0)
		got = next(r); /* the document's end */
	if (got == 0)
		got = next(r);
	if (got == 0 && r->event->type != FYET_STREAM_END) {
		const struct fy_mark *mark = fy_event_start_mark(r->event);

		got = yaml_refuse(r->error, mark ? place(mark->line) : r->line, 1, "documents",
				  "a second document begins here: one file holds one");
	}
	return got;
}

static int parse_events(const char *bytes, size_t len, struct yaml *ret,
			struct yaml_error *ret_error)
{
	struct fy_diag_cfg diag_cfg;
	struct fy_parse_cfg cfg = { .flags = FYPCF_QUIET | FYPCF_COLLECT_DIAG |
					     FYPCF_DEFAULT_VERSION_1_2 | FYPCF_JSON_NONE };
	scoped(drop_diag) struct fy_diag *diag = NULL;
	scoped(drop_parser) struct fy_parser *parser = NULL;
	bool bom = len >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0;
	struct reader r = {
		.error = ret_error, .bytes = bytes, .len = len, .line = 1, .column = 1
	};
	struct yaml y = { 0 };
	int got;

	fy_diag_cfg_default(&diag_cfg);
	cfg.diag = diag = fy_diag_create(&diag_cfg);
	if (!diag)
		return -ENOMEM;
	fy_diag_set_collect_errors(diag, true);
	r.diag = diag;
	r.parser = parser = fy_parser_create(&cfg);
	if (!parser || fy_parser_set_input_callback(parser, &r, feed) < 0)
		return -ENOMEM;
	r.at = bom ? 3 : 0; /* it takes no column */
	got = read_stream(&r, &y);
	if (r.event)
		fy_parser_event_free(parser, r.event);
	if (got < 0)
		yaml_done(&y);
	else
		*ret = y;
	return got;
}

/*
 * Every line ends in '\n' alone, the last one too: else libfyaml 0.7.12 miscounts texts of several
 * lines, and gives memory that was never written. ('\r' stands before '\n' only by now.)
 */
static int parse_lines(const char *bytes, size_t len, struct yaml *ret,
		       struct yaml_error *ret_error)
{
	scoped(text_done) struct text lines = { 0 };

	while (len > 0) {
		const char *cr = memchr(bytes, '\r', len);
		size_t n = cr ? (size_t)(cr - bytes) : len;

		text_add_n(&lines, bytes, n);
		n += cr != NULL;
		bytes += n;
		len -= n;
	}
	if (lines.len == 0 || lines.data[lines.len - 1] != '\n')
		text_add(&lines, "\n");
	if (text_error(&lines) < 0)
		return text_error(&lines);
	return parse_events(text_str(&lines), lines.len, ret, ret_error);
}

int yaml_parse(const char *bytes, size_t len, struct yaml *ret, struct yaml_error *ret_error)
{
	struct yaml y = { 0 };
	int got = yaml_scan_bytes(bytes, len, ret_error);

	if (got == 0 && yaml_looks_json(bytes, len)) {
		got = yaml_read_json(bytes, len, &y);
		if (got == 0) {
			*ret = y;
			return 0;
		}
		yaml_done(&y);
		got = got == -EBADMSG ? 0 : got; /* flow style of YAML, or an error to be named */
	}
	if (got == 0)
		got = yaml_scan_lines(bytes, len, ret_error);
	return got < 0 ? got : parse_lines(bytes, len, ret, ret_error);
}
