# NameServe. `make demo` and `make check` are the two that a newcomer needs; README.md has the rest.
# A process is a folder is an executable: every *.c below a folder belongs to its library or program,
# so a new file needs no line here.

SHELL     := /bin/bash
.DEFAULT_GOAL := all
SANITIZER ?=
V         ?=
Q         := $(if $(V),,@)
VERSION   := 0.1.0
B         := build$(if $(SANITIZER),/san-$(SANITIZER))
CC        := gcc
CLANG     ?= clang
PREFIX    ?= /usr/local

WARN   := -Wall -Wextra -Werror -Wshadow -Wconversion -Wmissing-prototypes -Wstrict-prototypes \
          -Wformat=2 -Wvla -Wold-style-definition
DEFS   := -D_GNU_SOURCE -DNS_RELEASE='"$(VERSION)"'
HARD   := $(if $(SANITIZER),,-D_FORTIFY_SOURCE=2) -fstack-protector-strong -fPIE
SAN    := $(if $(SANITIZER),-fsanitize=$(SANITIZER) -fno-omit-frame-pointer -fno-sanitize-recover=all)
PKGS   := libczmq libzmq libevent libprotobuf-c jansson sqlite3 libseccomp libcap-ng openssl
# TSan does not know fences; the epoch protocol is between processes, which it does not see anyway.
# Some warnings are right only at -O2: there they are judged.
NO_WARN := $(if $(SANITIZER),-Wno-format-truncation -Wno-maybe-uninitialized) $(if $(findstring thread,$(SANITIZER)),-Wno-tsan)
CFLAGS := -std=c11 $(if $(SANITIZER),-O1,-O2) -g $(WARN) $(NO_WARN) $(HARD) $(SAN)
PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
CPPFLAGS := -I. -isystem $(B)/gen $(DEFS) $(PKG_CFLAGS)
# The answer path is optimised across files, in the worker alone: 7 % of its own time.
LTO    := $(if $(SANITIZER),,-flto -ffat-lto-objects)
LTO_LINK := $(if $(SANITIZER),,-fno-lto)
# Tests are many programs, linked once each: a linker that is quick.
TEST_LINKER := $(if $(shell command -v ld.lld),-fuse-ld=lld)
LDFLAGS = $(LTO_LINK) -pie -Wl,-z,relro,-z,now -Wl,--as-needed $(SAN)
# Generated code is not ours to warn about.
GENFLAGS := $(filter-out -W%,$(CFLAGS)) -w

# ---- libraries: name = folder(s); arrows go one way (make style checks includes) ----
LIBS          := base ipc client ui dns dnstext zonemap serve role store fleet keys
SRC_base      := $(wildcard ipc/base/*.c)
SRC_ipc       := $(wildcard ipc/*.c)
SRC_client    := $(wildcard ipc/client/*.c)
SRC_ui        := $(wildcard console/core/*.c console/terminal/*.c console/widgets/*.c console/screens/*.c)
SRC_dnstext   := $(wildcard appliance/dns/text*.c)
SRC_dns       := $(filter-out $(SRC_dnstext),$(wildcard appliance/dns/*.c))
SRC_zonemap   := $(wildcard appliance/zonemap/*.c)
SRC_serve     := $(wildcard appliance/serve/*.c)
SRC_role      := $(wildcard appliance/role/*.c)
SRC_store     := $(wildcard appliance/store/*.c)
SRC_fleet     := $(wildcard appliance/fleet/*.c)
SRC_keys      := $(wildcard appliance/keys/*.c)

# ---- programs: sources, libraries of ours, libraries of others ----
ROLES   := sync signer answer worker probe
ROLE_LIBS  := -lseccomp -lcap-ng -levent -lprotobuf-c
ZMQ_LIBS   := -lczmq -lzmq
SRC_nameserved := $(wildcard appliance/supervisor/*.c)
USE_nameserved := role fleet ipcgen base
LD_nameserved  := $(ROLE_LIBS) -linih -lssl -lcrypto
SRC_nameserve  := $(wildcard console/cli/*.c)
USE_nameserve  := ui client ipc ipcgen base
LD_nameserve   := $(ZMQ_LIBS) -lncursesw -ltinfo -levent -lprotobuf-c -ljansson -lcrypto
SRC_sync       := $(wildcard appliance/sync/*.c)
USE_sync       := role store fleet keys dnstext zonemap dns ipc ipcgen base
LD_sync        := $(ROLE_LIBS) $(ZMQ_LIBS) -lsqlite3 -lldns -ljansson -lcrypto -lpthread
SRC_signer     := $(wildcard appliance/signer/*.c)
USE_signer     := role keys serve zonemap dns ipc ipcgen base
LD_signer      := $(ROLE_LIBS) $(ZMQ_LIBS) -lcrypto -lpthread
SRC_answer     := $(wildcard appliance/answer/*.c)
USE_answer     := role serve zonemap dns ipc ipcgen base
LD_answer      := $(ROLE_LIBS) $(ZMQ_LIBS) -lcrypto -lmaxminddb -lm
SRC_worker     := $(wildcard appliance/worker/*.c)
USE_worker     := role serve zonemap dns ipcgen base
LD_worker      := $(ROLE_LIBS) -lssl -lcrypto -lmaxminddb -lm
SRC_probe      := $(wildcard appliance/probe/*.c)
USE_probe      := role zonemap dns ipc ipcgen base
LD_probe       := $(ROLE_LIBS) $(ZMQ_LIBS) -lldns -lcurl -lssl -lcrypto

objs = $(patsubst %.c,$(B)/obj/%.o,$(1))
$(call objs,$(SRC_serve) $(SRC_zonemap) $(SRC_worker)): CFLAGS += $(LTO)
$(B)/libexec/nameserve-worker: LTO_LINK := $(if $(SANITIZER),,-flto=auto)
liba = $(patsubst %,$(B)/lib/lib%.a,$(1))

BIN  := $(B)/bin/nameserved $(B)/bin/nameserve $(ROLES:%=$(B)/libexec/nameserve-%)

.PHONY: all deps geo demo check check-long bench fuzz style install image image-check clean units man
all: $(BIN) $(if $(SANITIZER),,man)

$(B)/gen/ipc/nameserve.pb-c.c: ipc/nameserve.proto
	@mkdir -p $(@D)
	protoc-c --proto_path=ipc --c_out=$(@D) $<
$(B)/gen/ipc/nameserve.pb-c.h: $(B)/gen/ipc/nameserve.pb-c.c ;

$(B)/obj/gen/%.o: $(B)/gen/%.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(GENFLAGS) $(CPPFLAGS) -I$(B)/gen/ipc -c -o $@ $<
# -MD, not -MMD: the generated headers count as system headers, and objects must follow them.
$(B)/obj/%.o: %.c | $(B)/gen/ipc/nameserve.pb-c.h
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(CPPFLAGS) -MD -MP -c -o $@ $<
$(B)/lib/libipcgen.a: $(B)/obj/gen/ipc/nameserve.pb-c.o
	@mkdir -p $(@D); rm -f $@; ar rcs $@ $^
define LIB_RULE
$(B)/lib/lib$(1).a: $(call objs,$(SRC_$(1)))
	@mkdir -p $$(@D); rm -f $$@; ar rcs $$@ $$^
endef
$(foreach l,$(LIBS),$(eval $(call LIB_RULE,$(l))))

define PROG_RULE
$(2): $(call objs,$(SRC_$(1))) $(call liba,$(USE_$(1)))
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(LDFLAGS) -o $$@ $(call objs,$(SRC_$(1))) -Wl,--start-group \
	    $(call liba,$(USE_$(1))) -Wl,--end-group $(LD_$(1))
endef
$(foreach p,nameserved nameserve,$(eval $(call PROG_RULE,$(p),$(B)/bin/$(p))))
$(foreach p,$(ROLES),$(eval $(call PROG_RULE,$(p),$(B)/libexec/nameserve-$(p))))

# ---- tests ----
# tests/unit/NAME_test.c is one cmocka program.  It links every library, and tests/lib/*.c; what it
# wants from a process folder (pure logic) it names in a line  `// link: appliance/sync/edit.c`.
UNITS     := $(patsubst tests/unit/%.c,$(B)/tests/%,$(wildcard tests/unit/*_test.c))
ALL_LIBS  := ui client ipc role store fleet keys dnstext serve zonemap dns ipcgen base
TEST_LD   := -lcmocka -lncursesw -ltinfo $(ROLE_LIBS) $(ZMQ_LIBS) -lsqlite3 -lldns -lssl -lcrypto -ljansson -linih \
	     -lmaxminddb -lpthread -lm
$(call objs,$(wildcard tests/unit/*.c)): CFLAGS += -O1 -g1
SRC_testlib := $(wildcard tests/lib/*.c)
$(B)/lib/libtestlib.a: $(call objs,$(SRC_testlib))
	@mkdir -p $(@D); rm -f $@; ar rcs $@ $^
extra_src = $(shell sed -n 's|^// link: *||p' $(1))
define UNIT_RULE
$(B)/tests/$(1): $(call objs,tests/unit/$(1).c $(call extra_src,tests/unit/$(1).c)) \
    $(call liba,testlib $(ALL_LIBS))
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(LDFLAGS) $$(TEST_LINKER) -o $$@ $(call objs,tests/unit/$(1).c $(call extra_src,tests/unit/$(1).c)) \
	    -Wl,--start-group $(call liba,testlib $(ALL_LIBS)) -Wl,--end-group $(TEST_LD)
endef
$(foreach u,$(notdir $(UNITS)),$(eval $(call UNIT_RULE,$(u))))

# Small programs that the system tests and the bench run: tests/tools/NAME.c, linked like a unit.
TOOLS := $(patsubst tests/tools/%.c,$(B)/tools/%,$(wildcard tests/tools/*.c))
define TOOL_RULE
$(B)/tools/$(1): $(call objs,tests/tools/$(1).c $(call extra_src,tests/tools/$(1).c)) \
    $(call liba,testlib $(ALL_LIBS))
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(LDFLAGS) $$(TEST_LINKER) -o $$@ $(call objs,tests/tools/$(1).c $(call extra_src,tests/tools/$(1).c)) \
	    -Wl,--start-group $(call liba,testlib $(ALL_LIBS)) -Wl,--end-group $(TEST_LD)
endef
$(foreach t,$(notdir $(TOOLS)),$(eval $(call TOOL_RULE,$(t))))

# Fuzz targets: tests/fuzz/NAME_fuzz.c with clang's libFuzzer, ASan and UBSan; `// link:` as above.
# Of two ways to optimise, each with its own objects: what is quick to build finds enough in a check's seconds.
FUZZ_OPT ?= -O0
FB       := build/fuzz$(FUZZ_OPT)
FUZZERS  := $(patsubst tests/fuzz/%.c,$(FB)/%,$(wildcard tests/fuzz/*_fuzz.c))
FUZZ_SECONDS ?= 5
FUZZ_CFLAGS := -std=c11 $(FUZZ_OPT) -g -w -fsanitize=fuzzer-no-link,address,undefined \
	-fno-sanitize-recover=all -D_GNU_SOURCE -DNS_RELEASE='"fuzz"'
FUZZ_LIBSRC := $(foreach l,$(filter-out store client ui role,$(LIBS)),$(SRC_$(l)))
$(FB)/obj/%.o: %.c | build/gen/ipc/nameserve.pb-c.h
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(FUZZ_CFLAGS) -I. -Ibuild/gen $(PKG_CFLAGS) -MMD -MP -c -o $@ $<
$(FB)/obj/gen.o: build/gen/ipc/nameserve.pb-c.c
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(FUZZ_CFLAGS) -Ibuild/gen -Ibuild/gen/ipc -c -o $@ $<
$(FB)/libfuzz.a: $(patsubst %.c,$(FB)/obj/%.o,$(FUZZ_LIBSRC)) $(FB)/obj/gen.o
	@rm -f $@; ar rcs $@ $^
define FUZZ_RULE
$(FB)/$(1): $(patsubst %.c,$(FB)/obj/%.o,tests/fuzz/$(1).c $(call extra_src,tests/fuzz/$(1).c)) $(FB)/libfuzz.a
	$(Q)$(CLANG) $(TEST_LINKER) -fsanitize=fuzzer,address,undefined -o $$@ \
	    $(patsubst %.c,$(FB)/obj/%.o,tests/fuzz/$(1).c $(call extra_src,tests/fuzz/$(1).c)) \
	    -Wl,--start-group $(FB)/libfuzz.a -Wl,--end-group -Wl,--as-needed \
	    $(filter-out -lcmocka,$(TEST_LD))
endef
$(foreach f,$(notdir $(FUZZERS)),$(eval $(call FUZZ_RULE,$(f))))

-include $(shell find $(B)/obj build/vfs build/fuzz-*/obj build/break-*/obj -name '*.d' 2>/dev/null)

# ---- man pages ----
MAN  := $(patsubst %.scd,build/man/%,$(notdir $(wildcard */man/*.scd */*/man/*.scd)))
MANSRC := $(wildcard */man/*.scd */*/man/*.scd)
man: $(MAN)
define MAN_RULE
build/man/$(patsubst %.scd,%,$(notdir $(1))): $(1)
	@mkdir -p build/man
	@if command -v scdoc >/dev/null; then scdoc < $$< > $$@; else echo "scdoc: not found" >&2; exit 1; fi
endef
$(foreach m,$(MANSRC),$(eval $(call MAN_RULE,$(m))))

# A country file for [geo] database; its licence is shown.
geo:
	@tests/geo.sh build/geo

include tests/check.mk
include images/image.mk

install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/libexec \
	    $(DESTDIR)$(PREFIX)/share/bash-completion/completions
	install -m 755 $(B)/bin/nameserved $(B)/bin/nameserve $(DESTDIR)$(PREFIX)/bin/
	install -m 755 $(ROLES:%=$(B)/libexec/nameserve-%) $(DESTDIR)$(PREFIX)/libexec/
	install -D -m 644 appliance/probe/sysctl.conf $(DESTDIR)$(PREFIX)/lib/sysctl.d/50-nameserve.conf
	install -D -m 644 appliance/supervisor/systemd/sysusers.conf $(DESTDIR)$(PREFIX)/lib/sysusers.d/nameserve.conf
	install -D -m 644 appliance/supervisor/systemd/tmpfiles.conf $(DESTDIR)$(PREFIX)/lib/tmpfiles.d/nameserve.conf
	install -d $(DESTDIR)$(PREFIX)/lib/systemd/system
	sed 's|@PREFIX@|$(PREFIX)|' appliance/supervisor/systemd/nameserved.service.in > \
	    $(DESTDIR)$(PREFIX)/lib/systemd/system/nameserved.service
	for m in build/man/*; do install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/man/man$${m##*.} $$m; done
	$(B)/bin/nameserve completion bash > \
	    $(DESTDIR)$(PREFIX)/share/bash-completion/completions/nameserve

clean:
	rm -rf build
