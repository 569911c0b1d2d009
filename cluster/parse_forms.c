/* SPDX-License-Identifier: MIT */
#include "cluster/parse.h"

#include <stdlib.h>
#include <string.h>

#include "base/macros.h"

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

enum { LABEL_MAX = 63, SUBDOMAIN_MAX = 253 };

static bool spans(const char *s, size_t n, const char *set)
{
	return n > 0 && strspn(s, set) >= n;
}

static bool only(const char *s, const char *set)
{
	return spans(s, strlen(s), set);
}

/* Something to read, with nothing that ends a line or steers a terminal. */
static bool is_clean(const char *s)
{
	size_t i;

	for (i = 0; s[i]; i++)
		if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f)
			return false;
	return i > 0;
}

static bool is_clean_word(const char *s)
{
	return is_clean(s) && !strchr(s, ' ');
}

/* n characters of edge and middle, with edge characters alone at both ends. */
static bool is_edged(const char *s, size_t n, const char *edge, const char *middle)
{
	return n <= LABEL_MAX && spans(s, n, middle) && spans(s, 1, edge) &&
	       spans(s + n - 1, 1, edge);
}

static bool is_label_n(const char *s, size_t n)
{
	return is_edged(s, n, LOWER DIGITS, LOWER DIGITS "-");
}

bool parse_is_label(const char *s)
{
	return is_label_n(s, strlen(s));
}

static bool is_subdomain_n(const char *s, size_t n)
{
	const char *end = s + n;

	if (n > SUBDOMAIN_MAX)
		return false;
	for (;;) {
		const char *dot = memchr(s, '.', (size_t)(end - s));

		if (!is_label_n(s, (size_t)((dot ? dot : end) - s)))
			return false;
		if (!dot)
			return true;
		s = dot + 1;
	}
}

bool parse_is_subdomain(const char *s)
{
	return is_subdomain_n(s, strlen(s));
}

/* Kubernetes, labels: values and the names of keys. */
static bool is_kube_name(const char *s)
{
	return is_edged(s, strlen(s), UPPER LOWER DIGITS, UPPER LOWER DIGITS "-_.");
}

bool parse_is_qualified(const char *s)
{
	const char *slash = strchr(s, '/');

	return (!slash || is_subdomain_n(s, (size_t)(slash - s))) &&
	       is_kube_name(slash ? slash + 1 : s);
}

bool parse_is_label_value(const char *s)
{
	return !*s || is_kube_name(s);
}

bool parse_is_port(const char *s)
{
	size_t n = strlen(s);

	return n <= 5 && only(s, DIGITS) && *s != '0' && strtoul(s, NULL, 10) <= 65535;
}

/* A node's name becomes its host name, which Linux and kubelet hold to 63 characters. */
static bool is_node(const char *s)
{
	return strlen(s) <= LABEL_MAX && parse_is_subdomain(s);
}

static bool is_token(const char *s)
{
	return strlen(s) == 23 && s[6] == '.' && spans(s, 6, LOWER DIGITS) &&
	       spans(s + 7, 16, LOWER DIGITS);
}

static bool is_phase(const char *s)
{
	return only(s, LOWER "-/") && *s != '/' && !strstr(s, "//") && s[strlen(s) - 1] != '/';
}

static bool is_release(const char *s)
{
	return only(s, LOWER DIGITS "-") && spans(s, 1, LOWER);
}

static bool is_url(const char *s)
{
	static const char *const schemes[] = { "http://", "https://", "file:/", "copy:/" };
	size_t i;

	for (i = 0; i < COUNT(schemes); i++)
		if (strncmp(s, schemes[i], strlen(schemes[i])) == 0)
			return is_clean_word(s) && s[strlen(schemes[i])];
	return false;
}

/* Debian policy 5.6.1, with ":ARCH" and "=VERSION" as apt takes them. */
static bool is_package(const char *s)
{
	size_t n = strspn(s, LOWER DIGITS "+-.");

	if (n < 2 || !spans(s, 1, LOWER DIGITS))
		return false;
	s += n;
	if (*s == ':') {
		n = strspn(s + 1, LOWER DIGITS "-");
		s += n ? n + 1 : 0;
	}
	return !*s || (*s == '=' && only(s + 1, UPPER LOWER DIGITS "+-.:~"));
}

/* "deb [OPTIONS] URL SUITE…", a line of sources.list. */
static bool is_source_line(const char *s)
{
	const char *bracket;

	s += strcspn(s, " ");
	s += strspn(s, " ");
	bracket = *s == '[' ? strchr(s, ']') : NULL;
	if (*s == '[' && !bracket)
		return false;
	s = bracket ? bracket + 1 : s;
	s += strspn(s, " ");
	if (!strchr(s, ':'))
		return false;
	s += strcspn(s, " ");
	return *s && s[strspn(s, " ")];
}

static bool is_source(const char *s)
{
	return is_clean(s) && (model_source_is_folder(s) ? !strstr(s, "://") : is_source_line(s));
}

static bool is_archive(const char *s)
{
	return is_url(s) || (is_clean(s) && strncmp(s, "deb ", 4) == 0 && is_source_line(s));
}

/* These would end the line or the quotes of a boot loader's file. */
static bool is_argument(const char *s)
{
	return is_clean_word(s) && !strpbrk(s, "\"'\\$`");
}

/* A file, or what libcurl is asked for: no user or password, which would stand in every message. */
static bool is_place(const char *s)
{
	const char *host = strstr(s, "://");

	if (!host)
		return is_clean(s);
	if (strncmp(s, "http://", 7) != 0 && strncmp(s, "https://", 8) != 0)
		return false;
	host += 3;
	return is_clean_word(s) && !memchr(host, '@', strcspn(host, "/")) &&
	       strcspn(host, "/") > 0 && host[strcspn(host, "/")] && !strchr(host, '#');
}

static bool is_sha256(const char *s)
{
	return strlen(s) == 64 && only(s, DIGITS "abcdefABCDEF");
}

static bool is_ip(const char *s)
{
	struct net_ip ip;

	return net_ip_parse(s, &ip) == 0;
}

/* A name whose last label is a number is none: every resolver takes it for an address. */
static bool is_host(const char *s)
{
	return is_ip(s) || (parse_is_subdomain(s) && !net_name_is_numeric(s));
}

/* HOST[:PORT] in the first n characters. */
static bool is_host_port(const char *s, size_t n)
{
	char text[SUBDOMAIN_MAX + 8];
	char *colon;

	if (n >= sizeof(text))
		return false;
	memcpy(text, s, n);
	text[n] = '\0';
	if (text[0] == '[') {
		colon = strchr(text, ']');
		if (!colon || (colon[1] && (colon[1] != ':' || !parse_is_port(colon + 2))))
			return false;
		*colon = '\0';
		return is_ip(text + 1);
	}
	colon = strchr(text, ':');
	if (colon && !parse_is_port(colon + 1))
		return false;
	if (colon)
		*colon = '\0';
	return is_host(text);
}

static bool is_endpoint(const char *s)
{
	return is_host_port(s, strlen(s)) || is_ip(s);
}

/* HOST[:PORT][/PATH] */
static bool is_mirror(const char *s)
{
	size_t n = strcspn(s, "/");
	const char *path = s + n;

	return is_host_port(s, n) &&
	       (!*path || (only(path + 1, LOWER DIGITS "._-/") && !strstr(path, "//") &&
			   path[strlen(path) - 1] != '/'));
}

static bool is_registry(const char *s)
{
	return strcmp(s, "_default") == 0 || is_host_port(s, strlen(s));
}

/* A reference as containerd reads it, or a file. */
static bool is_image(const char *s)
{
	if (model_image_is_file(s))
		return is_clean(s);
	return only(s, UPPER LOWER DIGITS "._-/:") && spans(s, 1, UPPER LOWER DIGITS) &&
	       !strstr(s, "//") && !strstr(s, "::");
}

static bool is_interface(const char *s)
{
	return strlen(s) <= 15 && is_clean_word(s) && !strchr(s, '/') && strcmp(s, ".") != 0 &&
	       strcmp(s, "..") != 0;
}

static bool is_account(const char *s)
{
	return strlen(s) <= 32 && only(s, LOWER DIGITS "_-") && spans(s, 1, LOWER "_");
}

/* A name that a server asks for: liberal, but it must fit between ':' and into one line. */
static bool is_user(const char *s)
{
	return is_clean(s) && !strpbrk(s, ":\"") && *s != ' ' && s[strlen(s) - 1] != ' ';
}

/* No part of the path may be empty, "." or "..". */
static bool has_plain_parts(const char *s)
{
	for (;;) {
		size_t n = strcspn(s, "/");

		if (n == 0 || (n == 1 && s[0] == '.') || (n == 2 && s[0] == '.' && s[1] == '.'))
			return false;
		if (!s[n])
			return true;
		s += n + 1;
	}
}

static bool is_path(const char *s)
{
	return s[0] == '/' && is_clean(s) && (!s[1] || has_plain_parts(s + 1));
}

static bool is_password_file(const char *s)
{
	static const char folder[] = "secrets/";

	return is_clean(s) && strncmp(s, folder, sizeof(folder) - 1) == 0 && has_plain_parts(s);
}

/* //HOST/SHARE[/FOLDER]; storage/unc.c knows what a host and a share may be called. */
static bool is_server(const char *s)
{
	size_t n = strncmp(s, "//", 2) == 0 ? strcspn(s + 2, "/") : 0;

	return n > 0 && is_clean(s) && s[2 + n] && has_plain_parts(s + 3 + n);
}

static bool is_serial(const char *s)
{
	return is_clean(s) && strlen(s) <= 128 && *s != ' ' && s[strlen(s) - 1] != ' ';
}

static bool is_api_version(const char *s)
{
	return strcmp(s, "rackseed/v1") == 0;
}

/* A PersistentVolumeClaim: NAMESPACE/NAME. */
static bool is_claim(const char *s)
{
	const char *slash = strchr(s, '/');

	return slash && is_label_n(s, (size_t)(slash - s)) && parse_is_subdomain(slash + 1);
}

#define FORM(name, ...) const struct parse_form parse_form_##name = { __VA_ARGS__ }

FORM(label, "name-form", "a name (RFC 1123)",
     "lower-case letters, digits and '-', at most 63, a letter or digit at both ends",
     parse_is_label);
FORM(node, "name-form", "a host name (RFC 1123)",
     "lower-case letters, digits, '-' and '.', at most 63, a letter or digit at both ends",
     is_node);
FORM(node_ref, "name-form", "the name of a node", NULL, is_node);
FORM(claim, "claim-form", "a claim", "NAMESPACE/NAME, such as default/data", is_claim);
FORM(token, "token-form", "a bootstrap token",
     "six and sixteen of a-z and 0-9 with a dot between; without the key, `rackseed secrets` makes "
     "one",
     is_token);
FORM(phase, "phase-form", "a phase of kubeadm init", "such as addon/coredns", is_phase);
FORM(repository, "image-form", "a place for images", "HOST[:PORT][/PATH]", is_mirror);
FORM(release, "release-form", "the name of a release", "such as noble or bookworm", is_release);
FORM(url, "url-form", "an archive of packages",
     "a URL with http://, https:// or file:/, or a line \"deb URL SUITE COMPONENT\"", is_archive);
FORM(package, "package-form", "the name of a package", NULL, is_package);
FORM(source, "source-form", "a package source",
     "a line \"deb [OPTIONS] URL SUITE COMPONENT\", or a folder of .deb files", is_source);
FORM(argument, "argument-form", "one kernel argument", "one to an item, without spaces or quotes",
     is_argument);
FORM(place, "path-form", "a path or URL",
     "a file, or a URL with http:// or https://, without user and password", is_place);
FORM(sha256, "hash-form", "a SHA-256 sum", "64 hex digits, as sha256sum prints them", is_sha256);
FORM(host, "host-form", "a host name or address", NULL, is_host);
FORM(interface, "interface-form", "the name of a network interface", "at most 15 characters",
     is_interface);
FORM(account, "account-form", "the name of a login account",
     "lower-case letters, digits, '_' and '-', beginning with a letter", is_account);
FORM(user, "user-form", "the name of a user", NULL, is_user);
FORM(ssh_key, "ssh-key-form", "a public key of SSH",
     "one whole line of a .pub file, such as ~/.ssh/id_ed25519.pub", parse_is_ssh_key);
FORM(image, "image-form", "an image",
     "a reference such as docker.io/library/busybox:1.36, or an archive such as ./images.tar",
     is_image);
FORM(mirror, "mirror-form", "a registry", "HOST[:PORT][/PATH], without https://", is_mirror);
FORM(registry, "registry-form", "a registry", "HOST[:PORT], or _default for all others",
     is_registry);
FORM(path, "path-form", "an absolute path", "begin with '/', and leave out '.', '..' and '//'",
     is_path);
FORM(server, "server-form", "a share of a server", "//HOST/SHARE", is_server);
FORM(password_file, "password-file-outside", "a file below secrets/", "write secrets/NAME",
     is_password_file);
FORM(endpoint, "endpoint-form", "a host name or address, with a port or without",
     "such as master:6443, 192.168.10.50 or [fd00::50]:6443", is_endpoint);
FORM(serial, "serial-form", "a serial number", NULL, is_serial);
FORM(api_version, "api-version", "a version of this file's format that is known",
     "write apiVersion: rackseed/v1", is_api_version);
