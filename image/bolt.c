/* SPDX-License-Identifier: MIT */
#include "image/bolt.h"

#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/macros.h"
#include "base/text.h"

/* The layout of the file; all numbers are little-endian, as on every machine of ours. */
enum {
	MAGIC = (int)0xED0CDAED,
	VERSION = 2,
	BRANCH = 0x01,
	LEAF = 0x02,
	META = 0x04,
	FREELIST = 0x10,
	IS_BUCKET = 0x01, /* of an element: its value is a bucket */
	MAX_DEPTH = 32,
	FIRST_DATA_PAGE = 3, /* behind two metas and the list of free pages */
};

struct page {
	uint64_t id;
	uint16_t flags, count;
	uint32_t overflow;
};

struct leaf_element {
	uint32_t flags, position, key_size, value_size;
};

struct branch_element {
	uint32_t position, key_size;
	uint64_t page;
};

struct bucket {
	uint64_t root, sequence; /* root 0: the page follows inline */
};

struct meta {
	uint32_t magic, version, page_size, flags;
	struct bucket root;
	uint64_t freelist, high_water, transaction, checksum;
};

_Static_assert(sizeof(struct page) == 16 && sizeof(struct leaf_element) == 16 &&
		       sizeof(struct branch_element) == 16 && sizeof(struct meta) == 64,
	       "as in the file");

/* Bytes of a page and those that overflow from it; or of an inline one. */
struct span {
	const char *data;
	size_t len;
};

struct item {
	uint32_t flags;
	struct span key, value;
	struct text made; /* what stands for value, when it was rewritten */
};

struct items {
	struct item *list;
	size_t n;
};

/* The file that is read and the one that is written. */
struct job {
	struct span file;
	size_t page_size;
	int64_t epoch;
	struct text *out;
	size_t start; /* where in out it begins */
};

static void items_done(struct items *items)
{
	size_t i;

	for (i = 0; i < items->n; i++)
		text_done(&items->list[i].made);
	free(items->list);
}

static int items_add(struct items *items, const struct item *item)
{
	struct item *list = items->list;

	if ((items->n & (items->n - 1)) == 0) {
		list = realloc(list, (items->n ? 2 * items->n : 1) * sizeof(*list));
		if (!list)
			return -ENOMEM;
		items->list = list;
	}
	list[items->n++] = *item;
	return 0;
}

static int find_page(const struct job *job, uint64_t id, struct span *ret)
{
	struct page page;
	uint64_t pages = job->file.len / job->page_size;

	if (id >= pages)
		return -EBADMSG;
	ret->data = job->file.data + id * job->page_size;
	memcpy(&page, ret->data, sizeof(page));
	if (page.overflow >= pages - id)
		return -EBADMSG;
	ret->len = ((size_t)page.overflow + 1) * job->page_size;
	return 0;
}

/* The part of a page that an element names by its distance from itself. */
static bool cut(struct span page, size_t element, uint64_t position, uint64_t size,
		struct span *ret)
{
	uint64_t at = element + position;

	if (at > page.len || size > page.len - at)
		return false;
	*ret = (struct span){ page.data + at, (size_t)size };
	return true;
}

static int read_leaf(struct span page, size_t count, struct items *items)
{
	size_t i;

	for (i = 0; i < count; i++) {
		size_t at = sizeof(struct page) + i * sizeof(struct leaf_element);
		struct item item = { 0 };
		struct leaf_element e;

		if (at + sizeof(e) > page.len)
			return -EBADMSG;
		memcpy(&e, page.data + at, sizeof(e));
		item.flags = e.flags;
		if (!cut(page, at, e.position, e.key_size, &item.key) ||
		    !cut(page, at, (uint64_t)e.position + e.key_size, e.value_size, &item.value))
			return -EBADMSG;
		if (items_add(items, &item) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* All elements of a bucket in their order, through the branches above them. */
static int read_items(const struct job *job, struct span bytes, unsigned depth, struct items *items)
{
	struct page page;
	size_t i;
	int r = 0;

	if (bytes.len < sizeof(page) || depth > MAX_DEPTH)
		return -EBADMSG;
	memcpy(&page, bytes.data, sizeof(page));
	if (page.flags == LEAF)
		return read_leaf(bytes, page.count, items);
	if (page.flags != BRANCH)
		return -EBADMSG;
	for (i = 0; r == 0 && i < page.count; i++) {
		size_t at = sizeof(page) + i * sizeof(struct branch_element);
		struct branch_element e;
		struct span below;

		if (at + sizeof(e) > bytes.len)
			return -EBADMSG;
		memcpy(&e, bytes.data + at, sizeof(e));
		r = find_page(job, e.page, &below);
		if (r == 0)
			r = read_items(job, below, depth + 1, items);
	}
	return r;
}

/* A leaf page with all items, as long as it has to be: bolt splits it when it next writes there. */
static int build_leaf(const struct items *items, uint64_t id, size_t page_size, struct text *out)
{
	size_t need = sizeof(struct page) + items->n * sizeof(struct leaf_element);
	size_t data = need, i;
	struct page page = { .id = id, .flags = LEAF, .count = (uint16_t)items->n };

	for (i = 0; i < items->n; i++)
		need += items->list[i].key.len + items->list[i].value.len;
	if (items->n > UINT16_MAX || need > UINT32_MAX)
		return -EFBIG;
	page.overflow = id ? (uint32_t)((need - 1) / page_size) : 0;
	text_add_n(out, (const char *)&page, sizeof(page));
	for (i = 0; i < items->n; i++) {
		const struct item *item = &items->list[i];
		size_t at = sizeof(page) + i * sizeof(struct leaf_element);
		struct leaf_element e = { item->flags, (uint32_t)(data - at),
					  (uint32_t)item->key.len, (uint32_t)item->value.len };

		text_add_n(out, (const char *)&e, sizeof(e));
		data += item->key.len + item->value.len;
	}
	for (i = 0; i < items->n; i++) {
		text_add_n(out, items->list[i].key.data, items->list[i].key.len);
		text_add_n(out, items->list[i].value.data, items->list[i].value.len);
	}
	return text_error(out);
}

static void pad(struct text *out, size_t start, size_t page_size)
{
	static const char zeros[64];

	while ((out->len - start) % page_size && !text_error(out)) {
		size_t left = page_size - (out->len - start) % page_size;

		text_add_n(out, zeros, left < sizeof(zeros) ? left : sizeof(zeros));
	}
}

static uint64_t next_page(const struct job *job)
{
	return FIRST_DATA_PAGE + (job->out->len - job->start) / job->page_size;
}

/* Go's binary form of a time: version, seconds since year 1, nanoseconds, offset -1 for UTC. */
static void settle_time(const struct job *job, struct item *item)
{
	static const char *const names[] = { "createdat", "updatedat" };
	enum { GO_TIME = 15, VERSION_1 = 1 };
	uint64_t seconds = htobe64((uint64_t)job->epoch + 62135596800U);
	char value[GO_TIME] = { VERSION_1 };
	size_t i;

	memcpy(value + 1, &seconds, sizeof(seconds));
	memset(value + 13, 0xff, 2);
	for (i = 0; i < COUNT(names); i++)
		if (item->value.len == GO_TIME && item->key.len == strlen(names[i]) &&
		    memcmp(item->key.data, names[i], item->key.len) == 0) {
			text_add_n(&item->made, value, sizeof(value));
			item->value = (struct span){ text_str(&item->made), item->made.len };
		}
}

static int write_bucket(const struct job *job, struct span value, unsigned depth,
			struct text *made);

static int settle_item(const struct job *job, struct item *item, unsigned depth)
{
	int r;

	if (!(item->flags & IS_BUCKET)) {
		settle_time(job, item);
		return text_error(&item->made);
	}
	r = write_bucket(job, item->value, depth + 1, &item->made);
	item->value = (struct span){ text_str(&item->made), item->made.len };
	return r;
}

/* A small bucket without buckets in it lies within its parent, as bolt itself would have it. */
static bool is_inline(const struct job *job, const struct items *items)
{
	size_t size = sizeof(struct page), i;

	for (i = 0; i < items->n; i++) {
		size += sizeof(struct leaf_element) + items->list[i].key.len +
			items->list[i].value.len;
		if ((items->list[i].flags & IS_BUCKET) || size > job->page_size / 4)
			return false;
	}
	return true;
}

/* Writes a bucket's pages and adds the value that its parent keeps of it to *made. */
static int write_bucket(const struct job *job, struct span value, unsigned depth, struct text *made)
{
	scoped(items_done) struct items items = { 0 };
	struct bucket bucket;
	struct span page;
	size_t i;
	int r = 0;

	if (value.len < sizeof(bucket) || depth > MAX_DEPTH)
		return -EBADMSG;
	memcpy(&bucket, value.data, sizeof(bucket));
	page = (struct span){ value.data + sizeof(bucket), value.len - sizeof(bucket) };
	if (bucket.root != 0)
		r = find_page(job, bucket.root, &page);
	if (r == 0)
		r = read_items(job, page, 0, &items);
	for (i = 0; r == 0 && i < items.n; i++)
		r = settle_item(job, &items.list[i], depth);
	if (r < 0)
		return r;
	bucket.root = depth > 0 && is_inline(job, &items) ? 0 : next_page(job);
	text_add_n(made, (const char *)&bucket, sizeof(bucket));
	if (bucket.root == 0)
		return build_leaf(&items, 0, job->page_size, made);
	r = build_leaf(&items, bucket.root, job->page_size, job->out);
	pad(job->out, job->start, job->page_size);
	return r;
}

/* FNV-1a over what stands before it. */
static uint64_t checksum(const struct meta *meta)
{
	const unsigned char *at = (const unsigned char *)meta;
	uint64_t sum = 14695981039346656037U;
	size_t i;

	for (i = 0; i < offsetof(struct meta, checksum); i++)
		sum = (sum ^ at[i]) * 1099511628211U;
	return sum;
}

/* The newer of the two metas that is whole. */
static int read_meta(struct span file, struct meta *ret)
{
	size_t page_size = 0;
	bool found = false;
	size_t i;

	for (i = 0; i < 2; i++) {
		size_t at = i * page_size + sizeof(struct page);
		struct meta meta;

		if (at + sizeof(meta) > file.len)
			break;
		memcpy(&meta, file.data + at, sizeof(meta));
		if (meta.magic != (uint32_t)MAGIC || meta.version != VERSION ||
		    meta.checksum != checksum(&meta) || meta.page_size < 1024 ||
		    meta.page_size > 65536)
			return -EBADMSG;
		page_size = meta.page_size;
		if (!found || meta.transaction > ret->transaction)
			*ret = meta;
		found = true;
	}
	return found ? 0 : -EBADMSG;
}

static void add_meta(const struct meta *from, uint64_t number, struct text *out)
{
	struct page page = { .id = number, .flags = META };
	struct meta meta = *from;
	size_t start = out->len;

	meta.transaction = number;
	meta.checksum = checksum(&meta);
	text_add_n(out, (const char *)&page, sizeof(page));
	text_add_n(out, (const char *)&meta, sizeof(meta));
	pad(out, start, from->page_size);
}

int bolt_settle(const char *bytes, size_t len, int64_t epoch, struct text *out, struct fault *why)
{
	scoped(text_done) struct text pages = { 0 };
	scoped(text_done) struct text root = { 0 };
	struct job job = { .file = { bytes, len }, .epoch = epoch, .out = &pages };
	struct page free_pages = { .id = 2, .flags = FREELIST };
	struct meta meta = { 0 };
	size_t start = out->len;
	int r = read_meta(job.file, &meta);

	job.page_size = meta.page_size;
	if (r == 0)
		r = write_bucket(&job, (struct span){ (const char *)&meta.root, sizeof(meta.root) },
				 0, &root);
	if (r < 0)
		return fault_set(why, r, "this is no sound bolt file");
	memcpy(&meta.root, root.data, sizeof(meta.root));
	meta.freelist = free_pages.id;
	meta.high_water = next_page(&job);
	add_meta(&meta, 0, out);
	add_meta(&meta, 1, out);
	text_add_n(out, (const char *)&free_pages, sizeof(free_pages));
	pad(out, start, job.page_size);
	text_add_n(out, pages.data, pages.len);
	return text_error(out) < 0 ? fault_errno(why, ENOMEM, "bolt file") : 0;
}
