/* SPDX-License-Identifier: MIT */
/*
 * find_keys DISK KEY.pem...: looks through every byte of a disk for what only somebody knows who
 * has one of the private keys, in each form that a program would keep it in:
 *
 *     pem     a line of the PEM
 *     der     one of the key's secret numbers as it is: in DER of any kind, or raw
 *     base64  a part of the base64 of the PEM, as in a kubeconfig, with anything before it
 *
 * "KEY FORM OFFSET" is printed for each form of each key that is found. Exits with 0: found,
 * 1: searched and not found, 2: could not search. What is public of a key (a certificate has it,
 * too) is not looked for. Needles are short, so a key in two pieces on the disk is found as well.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

enum {
	PIECE = 32,	/* bytes of a needle */
	ENOUGH = 16,	/* how many of them must be secret */
	LONGEST = 256,
	HEAD = 8,	/* bytes that the index goes by */
	BITS = 20,
	COULD_NOT = 2,
};

enum form { PEM, DER, BASE64, N_FORMS };

static const char *const form_names[] = { [PEM] = "pem", [DER] = "der", [BASE64] = "base64" };

/* Bytes, and which of them are nobody's business. */
struct bytes {
	unsigned char *data;
	bool *secret;
	size_t n;
};

struct key {
	const char *path;
	bool found[N_FORMS];
	size_t needles[N_FORMS];
};

struct needle {
	unsigned char bytes[LONGEST];
	size_t n;
	struct key *key;
	enum form form;
	struct needle *next; /* of those with the same hash */
};

struct index {
	struct needle *heads[1 << BITS];
	unsigned char seen[1 << (BITS - 3)]; /* a bit for each of them: stays in the cache */
	size_t longest;
};

/* ---- needles ---- */

static struct bytes bytes_new(size_t n)
{
	struct bytes b = { malloc(n + 1), calloc(n + 1, sizeof(bool)), n };

	if (!b.data || !b.secret)
		err(COULD_NOT, "memory");
	return b;
}

static void bytes_done(struct bytes *b)
{
	free(b->data);
	free(b->secret);
	*b = (struct bytes){ 0 };
}

static uint32_t hash(const unsigned char *at)
{
	uint64_t head;

	memcpy(&head, at, HEAD);
	return (uint32_t)(head * UINT64_C(0x9e3779b97f4a7c15) >> (64 - BITS));
}

static void add_needle(struct index *index, struct key *key, enum form form,
		       const struct bytes *all, size_t from, size_t n)
{
	struct needle *needle;
	size_t secret = 0, i;
	uint32_t h;

	for (i = from; i < from + n; i++)
		secret += all->secret[i];
	if (secret < ENOUGH || n > LONGEST)
		return;
	needle = calloc(1, sizeof(*needle));
	if (!needle)
		err(COULD_NOT, "memory");
	memcpy(needle->bytes, all->data + from, n);
	needle->n = n;
	needle->key = key;
	needle->form = form;
	h = hash(needle->bytes);
	needle->next = index->heads[h];
	index->heads[h] = needle;
	index->seen[h / 8] |= (unsigned char)(1 << h % 8);
	key->needles[form]++;
	if (n > index->longest)
		index->longest = n;
}

static void add_pieces(struct index *index, struct key *key, enum form form,
		       const struct bytes *all, size_t from, size_t n)
{
	for (size_t at = from; at + PIECE <= from + n; at += PIECE)
		add_needle(index, key, form, all, at, PIECE);
}

/* The base64 of what begins at from; a letter is secret when all of its bits are. */
static struct bytes base64(const struct bytes *of, size_t from)
{
	struct bytes out = bytes_new((of->n - from + 2) / 3 * 4);

	EVP_EncodeBlock(out.data, of->data + from, (int)(of->n - from));
	for (size_t i = 0; i < out.n; i++) {
		size_t first = from + i * 6 / 8, last = from + (i * 6 + 5) / 8;

		out.secret[i] = last < of->n && of->secret[first] && of->secret[last];
	}
	return out;
}

/* ---- a key ---- */

/* What OpenSSL calls the numbers that no certificate has: of EC and Ed25519, and of RSA. */
static const char *const secrets[] = {
	OSSL_PKEY_PARAM_PRIV_KEY,	OSSL_PKEY_PARAM_RSA_D,
	OSSL_PKEY_PARAM_RSA_FACTOR1,	OSSL_PKEY_PARAM_RSA_FACTOR2,
	OSSL_PKEY_PARAM_RSA_EXPONENT1,	OSSL_PKEY_PARAM_RSA_EXPONENT2,
	OSSL_PKEY_PARAM_RSA_COEFFICIENT1,
};

/* Its bytes as DER has them, or 0. */
static size_t secret_number(const EVP_PKEY *pkey, const char *name, unsigned char out[static 1024])
{
	BIGNUM *number = NULL;
	size_t n = 1024;

	if (EVP_PKEY_get_octet_string_param(pkey, name, out, n, &n) == 1)
		return n;
	if (EVP_PKEY_get_bn_param(pkey, name, &number) != 1 || BN_num_bytes(number) > 1024)
		return 0;
	n = (size_t)BN_bn2bin(number, out);
	BN_clear_free(number);
	return n;
}

/* Of the DER what is secret; each such number is a needle in itself. */
static void mark(struct index *index, struct key *key, const EVP_PKEY *pkey, struct bytes *der)
{
	unsigned char number[1024];

	for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++) {
		size_t n = secret_number(pkey, secrets[i], number);
		unsigned char *at = n < ENOUGH ? NULL : memmem(der->data, der->n, number, n);

		if (!at)
			continue;
		memset(der->secret + (at - der->data), true, n);
		/* An EC key that begins with zeros is short of a byte or two. */
		if (n < PIECE)
			add_needle(index, key, DER, der, (size_t)(at - der->data), n);
		else
			add_pieces(index, key, DER, der, (size_t)(at - der->data), n);
	}
}

static struct bytes read_file(const char *path)
{
	struct bytes text = bytes_new(1 << 16);
	FILE *f = fopen(path, "re");

	if (!f)
		err(COULD_NOT, "%s", path);
	text.n = fread(text.data, 1, text.n, f);
	if (ferror(f))
		err(COULD_NOT, "%s", path);
	fclose(f);
	text.data[text.n] = '\0';
	return text;
}

/* Lines of the PEM are base64 of the DER with an end to each: the text's marks are the DER's. */
static void add_lines(struct index *index, struct key *key, struct bytes *text,
		      const struct bytes *der)
{
	struct bytes letters = base64(der, 0);
	char *line = (char *)text->data, *end;
	bool inside = false;
	size_t at = 0, i;

	for (; *line; line = end + (*end != '\0')) {
		size_t n = strcspn(line, "\r\n"), from = (size_t)(line - (char *)text->data);

		end = line + strcspn(line, "\n");
		if (strncmp(line, "-----", 5) == 0) {
			inside = strncmp(line, "-----BEGIN", 10) == 0;
			continue;
		}
		if (!inside || at + n > letters.n || memcmp(line, letters.data + at, n) != 0)
			continue;
		for (i = 0; i < n; i++)
			text->secret[from + i] = letters.secret[at + i];
		at += n;
		add_needle(index, key, PEM, text, from, n);
	}
	bytes_done(&letters);
}

static void add_key(struct index *index, struct key *key)
{
	struct bytes text = read_file(key->path), der = { 0 };
	BIO *bio = BIO_new_mem_buf(text.data, (int)text.n);
	char *name = NULL, *header = NULL;
	unsigned char *data = NULL;
	const unsigned char *p;
	EVP_PKEY *pkey;
	size_t alignment;
	long n = 0;

	if (!bio || PEM_read_bio(bio, &name, &header, &data, &n) != 1)
		errx(COULD_NOT, "%s: no PEM", key->path);
	p = data;
	pkey = d2i_AutoPrivateKey(NULL, &p, n);
	if (!pkey)
		errx(COULD_NOT, "%s: no private key without a password", key->path);
	der = bytes_new((size_t)n);
	memcpy(der.data, data, der.n);
	mark(index, key, pkey, &der);
	add_lines(index, key, &text, &der);
	for (alignment = 0; alignment < 3; alignment++) {
		struct bytes twice = base64(&text, alignment);

		add_pieces(index, key, BASE64, &twice, 0, twice.n);
		bytes_done(&twice);
	}
	for (enum form form = 0; form < N_FORMS; form++)
		if (key->needles[form] == 0)
			errx(COULD_NOT, "%s: nothing to look for as %s", key->path,
			     form_names[form]);
	bytes_done(&text);
	bytes_done(&der);
	EVP_PKEY_free(pkey);
	OPENSSL_free(name);
	OPENSSL_free(header);
	OPENSSL_free(data);
	BIO_free(bio);
}

/* ---- the search ---- */

static bool try_here(const struct index *index, uint32_t h, const unsigned char *disk, size_t at,
		     size_t size)
{
	bool any = false;

	for (const struct needle *n = index->heads[h]; n; n = n->next) {
		if (n->n > size - at || memcmp(disk + at, n->bytes, n->n) != 0)
			continue;
		any = true;
		if (n->key->found[n->form])
			continue;
		n->key->found[n->form] = true;
		printf("%s %s %zu\n", n->key->path, form_names[n->form], at);
	}
	return any;
}

static bool search(const struct index *index, const unsigned char *disk, size_t from, size_t to,
		   size_t size)
{
	bool any = false;

	for (size_t at = from; at < to && at + HEAD <= size; at++) {
		uint32_t h = hash(disk + at);

		if (index->seen[h / 8] & 1 << h % 8)
			any = try_here(index, h, disk, at, size) || any;
	}
	return any;
}

/* Holes are zeros, and no needle is zeros alone: it may reach into a hole, but not lie in it. */
static bool search_data(const struct index *index, int fd, const unsigned char *disk, size_t size)
{
	bool any = false;
	off_t data = 0, hole;

	for (;;) {
		data = lseek(fd, data, SEEK_DATA);
		if (data < 0 && errno == ENXIO)
			return any;
		if (data < 0)
			err(COULD_NOT, "holes");
		hole = lseek(fd, data, SEEK_HOLE);
		if (hole < 0)
			err(COULD_NOT, "holes");
		any = search(index, disk,
			     (size_t)data < index->longest ? 0 : (size_t)data - index->longest,
			     (size_t)hole, size) ||
		      any;
		data = hole;
	}
}

int main(int argc, char **argv)
{
	struct index *index = calloc(1, sizeof(*index));
	struct key *keys = calloc((size_t)argc, sizeof(*keys));
	const unsigned char *disk;
	struct stat st;
	int fd, i;

	if (argc < 3)
		errx(COULD_NOT, "find_keys DISK KEY.pem...");
	if (!index || !keys)
		err(COULD_NOT, "memory");
	for (i = 2; i < argc; i++) {
		keys[i].path = argv[i];
		add_key(index, &keys[i]);
	}
	fd = open(argv[1], O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		err(COULD_NOT, "%s", argv[1]);
	if (!S_ISREG(st.st_mode) || st.st_size == 0)
		errx(COULD_NOT, "%s: no file with anything in it", argv[1]);
	disk = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (disk == MAP_FAILED)
		err(COULD_NOT, "%s", argv[1]);
	(void)madvise((void *)(uintptr_t)disk, (size_t)st.st_size, MADV_SEQUENTIAL);
	return !search_data(index, fd, disk, (size_t)st.st_size);
}
