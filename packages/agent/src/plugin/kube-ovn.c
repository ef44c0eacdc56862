/*
 * The CNI plugin: hands its environment and standard input to the node's agent and prints what that answers. All logic is in the agent; runtimes start
 * this program for every call, so it is small and native. Protocol: packages/agent/src/cni/call.ts. The same in TypeScript: main.ts beside this file.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define DEFAULT_SOCKET "/run/openvswitch/kube-ovn-daemon.sock"
/* Seconds; more than the agent takes to give up an ADD (20) and to undo it (10). */
#define TIMEOUT 60
#define VERSIONS "[\"0.1.0\",\"0.2.0\",\"0.3.0\",\"0.3.1\",\"0.4.0\",\"1.0.0\",\"1.1.0\"]"

static const char *const forwarded[] = {"CNI_COMMAND", "CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME", "CNI_ARGS", "CNI_PATH"};

struct buffer {
	char *data;
	size_t length, capacity;
};

static void append(struct buffer *b, const void *data, size_t length) {
	if (b->length + length + 1 > b->capacity) {
		b->capacity = (b->length + length + 1) * 2;
		b->data = realloc(b->data, b->capacity);
		if (!b->data) abort();
	}
	memcpy(b->data + b->length, data, length);
	b->length += length;
	b->data[b->length] = 0;
}

/* Reads to the end of the file; -1 with errno when that fails. */
static int read_all(int fd, struct buffer *b) {
	char chunk[65536];
	append(b, "", 0);
	for (;;) {
		ssize_t count = read(fd, chunk, sizeof chunk);
		if (count == 0) return 0;
		if (count > 0) append(b, chunk, (size_t)count);
		else if (errno != EINTR) return -1;
	}
}

static int write_all(int fd, const char *data, size_t length, int is_socket) {
	while (length > 0) {
		ssize_t count = is_socket ? send(fd, data, length, MSG_NOSIGNAL) : write(fd, data, length);
		if (count < 0 && errno == EINTR) continue;
		if (count < 0) return -1;
		data += count;
		length -= (size_t)count;
	}
	return 0;
}

/* The string value of a key of the configuration, without a JSON parser: up to the closing quote, refused when it holds an escape. */
static int string_value(const char *json, const char *key, char *value, size_t size) {
	const char *at = strstr(json, key);
	if (!at) return 0;
	at += strlen(key);
	at += strspn(at, " \t\r\n");
	if (*at++ != ':') return 0;
	at += strspn(at, " \t\r\n");
	if (*at++ != '"') return 0;
	size_t length = strcspn(at, "\"\\\n");
	if (at[length] != '"' || length == 0 || length >= size) return 0;
	memcpy(value, at, length);
	value[length] = 0;
	return 1;
}

static char version[16] = "1.1.0";

/* An error that the agent could not report itself (CNI specification 1.1, "Error"). */
static int fail(const char *command, const char *what, const char *socket_path, int error) {
	/*
	 * DEL fails like ADD, so that the runtime repeats it: success would leave the port in Open vSwitch and a lifted tap on the node, which
	 * do not go away with the sandbox. STATUS has a code of its own for "cannot serve".
	 */
	int code = strcmp(command, "STATUS") == 0 ? 50 : 11;
	printf("{\"cniVersion\":\"%s\",\"code\":%d,\"msg\":\"%s\",\"details\":\"%s: %s\"}\n", version, code, what, socket_path, strerror(error));
	return 1;
}

static int dial(const char *path) {
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct timeval limit = {.tv_sec = TIMEOUT};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0) return -1;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
	memcpy(address.sun_path, path, strlen(path) + 1);
	while (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
		if (errno != EINTR) return -1;
	}
	return fd;
}

int main(void) {
	struct buffer input = {0}, call = {0}, answer = {0};
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)] = DEFAULT_SOCKET, asked[sizeof version], head[128];
	const char *command = getenv("CNI_COMMAND");
	if (!command) command = "";
	if (read_all(STDIN_FILENO, &input) != 0) return fail(command, "standard input cannot be read", "stdin", errno);
	if (string_value(input.data, "\"cniVersion\"", asked, sizeof asked) && strspn(asked, "0123456789.") == strlen(asked)) strcpy(version, asked);
	if (strcmp(command, "VERSION") == 0) {
		printf("{\"cniVersion\":\"%s\",\"supportedVersions\":" VERSIONS "}\n", version);
		return 0;
	}
	string_value(input.data, "\"server_socket\"", path, sizeof path);

	for (size_t i = 0; i < sizeof forwarded / sizeof *forwarded; i++) {
		const char *value = getenv(forwarded[i]);
		if (!value) continue;
		append(&call, forwarded[i], strlen(forwarded[i]));
		append(&call, "=", 1);
		append(&call, value, strlen(value) + 1);
	}
	append(&call, "", 1);
	append(&call, input.data, input.length);
	int length = snprintf(head, sizeof head, "POST /cni HTTP/1.1\r\nHost: agent\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n", call.length);

	int fd = dial(path);
	if (fd < 0) return fail(command, "the network agent of this node does not answer", path, errno);
	if (write_all(fd, head, (size_t)length, 1) != 0 || write_all(fd, call.data, call.length, 1) != 0 || read_all(fd, &answer) != 0)
		return fail(command, "the network agent did not finish the call", path, errno);

	const char *body = strstr(answer.data, "\r\n\r\n"), *size = strcasestr(answer.data, "\r\nContent-Length:");
	int status = 0;
	if (!body || !size || size > body || sscanf(answer.data, "HTTP/1.1 %d", &status) != 1 || (status != 200 && status != 500))
		return fail(command, "the network agent ended before it answered", path, EPROTO);
	body += 4;
	size_t present = answer.length - (size_t)(body - answer.data);
	if (strtoull(size + strlen("\r\nContent-Length:"), NULL, 10) != present)
		return fail(command, "the network agent ended while it answered", path, EPROTO);
	if (write_all(STDOUT_FILENO, body, present, 0) != 0) return 1;
	return status == 200 ? 0 : 1;
}
