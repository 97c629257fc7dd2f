// Reading CREATE: what a sandbox shall be. Every number has bounds and every text is checked here, once, in the
// helper; an init reads the same bytes again with the same code.
#include "sandbox.h"

static bool valid_target(const char *target) {
  size_t length = strlen(target);
  if (length < 2 || length >= 1024 || target[0] != '/' || target[length - 1] == '/') return false;
  for (const char *part = target; part; part = strchr(part, '/')) {   // no empty component, no "." and no ".."
    size_t size = strcspn(++part, "/");
    if (size == 0 || size > 255 || (size <= 2 && strncmp(part, "..", size) == 0)) return false;
  }
  return true;
}

static bool read_mount(struct spec *spec, const struct field *field) {
  if (spec->mount_count == MAX_MOUNTS || field->length < 4 || field->bytes[field->length - 1] != 0) return false;
  struct mount_entry *entry = &spec->mounts[spec->mount_count];
  entry->kind = field->bytes[0];
  entry->source = (const char *)field->bytes + 1;
  entry->target = entry->source + strlen(entry->source) + 1;
  const char *end = (const char *)field->bytes + field->length;
  if (entry->target >= end || entry->target + strlen(entry->target) + 1 != end) return false;
  static const char *const ours[] = {"/proc", "/dev", "/tmp"};   // always there, and not the server's to change
  for (int i = 0; i < 3; i++) {
    size_t length = strlen(ours[i]);
    if (strncmp(entry->target, ours[i], length) == 0 && (entry->target[length] == '/' || entry->target[length] == 0))
        return false;
  }
  if (entry->kind < SBX_MOUNT_BIND || entry->kind > SBX_MOUNT_WRITABLE || !valid_target(entry->target)) return false;
  if ((entry->kind == SBX_MOUNT_BIND || entry->kind == SBX_MOUNT_WRITABLE) && entry->source[0] != '/') return false;
  if (entry->kind == SBX_MOUNT_SYMLINK && entry->source[0] == 0) return false;
  spec->mount_count++;
  return true;
}

static bool read_number(const struct field *field, uint32_t *value, uint32_t low, uint32_t high) {
  return field_u32(field, value) && *value >= low && *value <= high;
}

static bool read_listen(struct spec *spec, const struct field *field) {
  if (spec->listen_count == MAX_LISTENERS || (field->length != 2 && field->length != 3)) return false;
  struct listen_at at = {.kind = SBX_LISTEN_LOOPBACK};
  memcpy(&at.port, field->bytes, 2);
  if (field->length == 3) at.kind = field->bytes[2];
  if (at.kind > SBX_LISTEN_DATAGRAMS) return false;
  spec->listen[spec->listen_count++] = at;
  return true;
}

static bool read_field(struct spec *spec, const struct field *field) {
  switch (field->tag) {
    case SBX_TAG_MEMORY: return field_u64(field, &spec->memory) && spec->memory >= 4 << 20
        && spec->memory <= 1ull << 46;
    case SBX_TAG_TMP: return field_u64(field, &spec->tmp) && spec->tmp <= 1ull << 46;
    case SBX_TAG_CPU: return read_number(field, &spec->cpu, 1, 10000000);
    case SBX_TAG_PIDS: return read_number(field, &spec->pids, 1, 4000000);
    case SBX_TAG_NOFILE: return read_number(field, &spec->nofile, 8, 1 << 20);
    case SBX_TAG_NETWORK: return read_number(field, &spec->network, SBX_NETWORK_LOOPBACK, SBX_NETWORK_OUTBOUND);
    case SBX_TAG_HOSTNAME:
      if (field->length == 0 || field->length > 64 || !field_is_text(field)) return false;
      memcpy(spec->hostname, field->bytes, field->length);
      spec->hostname[field->length] = 0;
      return true;
    case SBX_TAG_LISTEN:
      return read_listen(spec, field);
    case SBX_TAG_MOUNT: return read_mount(spec, field);
    case SBX_TAG_ZYGOTE: return field_u32(field, &spec->zygote);
    case SBX_TAG_YIELDS: return read_number(field, &spec->yields, 0, 1);
    case SBX_TAG_SNAPSHOT: return read_number(field, &spec->snapshot, 1, 1);
    default: return false;
  }
}

void spec_free(struct spec *spec) {
  if (spec) free(spec->message - 8);
  free(spec);
}

// Keeps a copy of the message, into which everything points.
static struct spec *copy_of(const struct message *message, bool (*read)(struct spec *, const struct field *),
    const char **stage) {
  struct spec *spec = calloc(1, sizeof *spec);
  size_t length = (size_t)(message->end - message->body);
  uint8_t *copy = malloc(length + 8);
  if (!spec || !copy) { free(spec); free(copy); errno = ENOMEM; return NULL; }
  spec->message = copy + 8;   // the header of INIT_BUILD goes before it
  spec->length = length;
  memcpy(spec->message, message->body, length);
  struct message cursor = {.body = spec->message, .end = spec->message + length};
  struct field field;
  while (message_next(&cursor, &field)) {
    if (read(spec, &field)) continue;
    static char text[32];
    snprintf(text, sizeof text, "create: bad field %u", field.tag);
    *stage = text;
    spec_free(spec);
    errno = EINVAL;
    return NULL;
  }
  return spec;
}

struct spec *spec_read(const struct message *message, const char **stage) {
  *stage = "create";
  struct spec *spec = copy_of(message, read_field, stage);
  if (!spec || (spec->memory && spec->cpu && spec->pids && spec->nofile)) return spec;
  *stage = "create: a limit is missing";
  spec_free(spec);
  errno = EINVAL;
  return NULL;
}

static bool read_zygote_field(struct spec *spec, const struct field *field) {
  if (field->tag == SBX_TAG_MOUNT)
    return read_mount(spec, field) && spec->mounts[spec->mount_count - 1].kind != SBX_MOUNT_WRITABLE;
  return field->tag == SBX_TAG_ARG || field->tag == SBX_TAG_ENV || field->tag == SBX_TAG_CWD;
}

struct spec *spec_read_zygote(const struct message *message, const char **stage) {
  *stage = "zygote";
  return copy_of(message, read_zygote_field, stage);
}

static bool read_base_field(struct spec *spec, const struct field *field) {
  if (field->tag == SBX_TAG_LISTEN) return read_listen(spec, field);
  return field->tag == SBX_TAG_MOUNT && read_zygote_field(spec, field);
}

struct spec *spec_read_base(const struct message *message, const char **stage) {
  *stage = "base";
  return copy_of(message, read_base_field, stage);
}

bool spec_same_mount(const struct mount_entry *a, const struct mount_entry *b) {
  return a->kind == b->kind && strcmp(a->source, b->source) == 0 && strcmp(a->target, b->target) == 0;
}

// What is wrong with an order to run a program; NULL.
const char *check_program(const struct message *message, uint32_t *process, bool is_zygote) {
  struct message cursor = *message;
  struct field field;
  unsigned arguments = 0, processes = 0, directories = 0;
  uint32_t zygote, follows;
  while (message_next(&cursor, &field)) {
    switch (field.tag) {
      case SBX_TAG_PROCESS:
        processes++;
        if (!field_u32(&field, process) || *process == 0) return "spawn: bad process";
        continue;
      case SBX_TAG_ARG:
        if (arguments++ == 0 && (field.length < 2 || field.bytes[0] != '/')) return "spawn: not an absolute path";
        break;
      case SBX_TAG_ENV:
        if (field.length < 2 || field.bytes[0] == '=' || !memchr(field.bytes, '=', field.length))
          return "spawn: bad environment";
        break;
      case SBX_TAG_CWD:
        directories++;
        if (field.length < 1 || field.length >= MAX_PATH || field.bytes[0] != '/') return "spawn: bad directory";
        break;
      case SBX_TAG_ZYGOTE:
        if (!field_u32(&field, &zygote)) return "spawn: bad zygote";
        continue;
      case SBX_TAG_FOLLOWS:
        if (!read_number(&field, &follows, 0, 1)) return "spawn: bad field";
        continue;
      case SBX_TAG_MOUNT: if (is_zygote) continue;   // fall through
      default: return "spawn: unknown field";
    }
    if (!field_is_text(&field)) return "spawn: NUL in text";
  }
  if (processes != !is_zygote) return "spawn: bad process";
  if (arguments == 0) return "spawn: no arguments";
  return directories > 1 ? "spawn: bad directory" : NULL;
}
