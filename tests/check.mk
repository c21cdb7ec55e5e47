# Tests and tools around the build. Included by the Makefile; run from the top.
.PHONY: unit-programs test-programs bench-cost

deps:
	@tests/deps.sh

style:
	@tests/style.sh

unit-programs: $(UNITS)
# What the system tests start beside the appliance: tools, and workers with one rule broken on purpose,
# which show that the answer tests can fail. Only the files of serve/ that know the rule are compiled anew.
BREAKS := aa wildcard nsec nsec3 tc case glue weight specificity fallback
test-programs: unit-programs $(TOOLS) $(BREAKS:%=build/break-%/nameserve-worker) $(FUZZERS)
knows = $(shell grep -lwE "NS_BREAK_$(1)$(addprefix |,$(shell grep -lw NS_BREAK_$(1) appliance/serve/*.h))" $(SRC_serve))
define BREAK_RULE
build/break-$(1)/obj/%.o: %.c | build/gen/ipc/nameserve.pb-c.h
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(CFLAGS) $$(CPPFLAGS) -DNS_BREAK_$(1)=1 -MMD -MP -c -o $$@ $$<
build/break-$(1)/nameserve-worker: $(patsubst %.c,build/break-$(1)/obj/%.o,$(2)) \
    $(call objs,$(filter-out $(2),$(SRC_serve)) $(SRC_worker)) $(call liba,$(filter-out serve,$(USE_worker)))
	$$(Q)$$(CC) $$(LDFLAGS) -o $$@ $$(filter %.o,$$^) -Wl,--start-group $$(filter %.a,$$^) \
	    -Wl,--end-group $$(LD_worker)
endef
$(foreach b,$(BREAKS),$(eval $(call BREAK_RULE,$(b),$(call knows,$(b)))))

# A sync whose disk loses power or is slow (tests/lib/sync_vfs.c); only its sync.c is compiled anew.
test-programs: build/vfs/nameserve-sync
build/vfs/sync.o: appliance/sync/sync.c | build/gen/ipc/nameserve.pb-c.h
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(CPPFLAGS) -DNS_TEST_VFS=1 -MMD -MP -c -o $@ $<
build/vfs/nameserve-sync: build/vfs/sync.o $(call objs,$(filter-out %/sync.c,$(SRC_sync))) \
    $(call liba,testlib $(USE_sync))
	$(Q)$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) \
	    -Wl,--end-group $(LD_sync)

# A worker that stops at seeded points inside a batch, and a signer that fills what it frees with 0xDB: what
# is still read after it was freed shows.
test-programs: build/chaos/nameserve-worker build/chaos/nameserve-signer
build/chaos/worker.o: appliance/worker/worker.c | build/gen/ipc/nameserve.pb-c.h
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(CPPFLAGS) -DNS_BREAK_stall=1 -MMD -MP -c -o $@ $<
build/chaos/alloc.o: appliance/zonemap/alloc.c | build/gen/ipc/nameserve.pb-c.h
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(CPPFLAGS) -DNS_MAP_POISON=1 -MMD -MP -c -o $@ $<
build/chaos/nameserve-worker: build/chaos/worker.o $(call objs,$(filter-out %/worker.c,$(SRC_worker))) \
    $(call liba,$(USE_worker))
	$(Q)$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) \
	    -Wl,--end-group $(LD_worker)
build/chaos/nameserve-signer: build/chaos/alloc.o $(call objs,$(SRC_signer)) $(call liba,$(USE_signer))
	$(Q)$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) \
	    -Wl,--end-group $(LD_signer)

units: $(UNITS)
	@ASAN_OPTIONS=detect_leaks=1 TSAN_OPTIONS=suppressions=$(CURDIR)/tests/tsan.supp tests/units.sh $(UNITS)

fuzz: $(FUZZERS)
	@tests/fuzz.sh $(FUZZ_SECONDS) $(FUZZERS)

check: deps
	@SANITIZER=$(SANITIZER) tests/check.sh

check-long: deps
	@tests/check-long.sh

bench: deps
	@$(MAKE) --no-print-directory all $(TOOLS)
	@/usr/bin/python3 tests/bench/bench.py

demo: deps
	@$(MAKE) --no-print-directory -j$$(nproc) all
	@tests/demo/demo.sh

# Sync and signer whose time the test moves (tests/warp/clock.c).
test-programs: build/warp/nameserve-sync build/warp/nameserve-signer
define WARP_RULE
build/warp/nameserve-$(1): $(call objs,tests/warp/clock.c $(SRC_$(1))) $(call liba,$(USE_$(1)))
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(LDFLAGS) -o $$@ $$(filter %.o,$$^) -Wl,--start-group $$(filter %.a,$$^) \
	    -Wl,--end-group $$(LD_$(1))
endef
$(foreach r,sync signer,$(eval $(call WARP_RULE,$(r))))

# A sync whose wall clock is a year ahead (tests/system/test_edits_confirm.py): only clock.c is compiled anew.
test-programs: build/ahead/nameserve-sync
build/ahead/clock.o: ipc/base/clock.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(CPPFLAGS) -DNS_TEST_WALL_AHEAD_MS=31536000000 -MMD -MP -c -o $@ $<
build/ahead/nameserve-sync: build/ahead/clock.o $(call objs,$(SRC_sync)) $(call liba,$(USE_sync))
	@mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS) -o $@ build/ahead/clock.o $(call objs,$(SRC_sync)) -Wl,--start-group \
	    $(call liba,$(USE_sync)) -Wl,--end-group $(LD_sync)
# What a query costs (tests/bench/cost.py): the worker as it is but for its sandbox, and the program that runs
# it under callgrind.
COST := $(CURDIR)/build/cost
build/cost/nameserve-worker: $(call objs,$(SRC_worker) tests/bench/programs/for_valgrind.c) $(call liba,$(USE_worker))
	@mkdir -p $(@D)
	$(Q)$(CC) -flto=auto -Wl,--wrap=mmap $(filter-out -fno-lto,$(LDFLAGS)) -o $@ $(filter %.o,$^) -Wl,--start-group \
	    $(filter %.a,$^) -Wl,--end-group $(LD_worker)
build/cost/under-callgrind: tests/bench/programs/under_callgrind.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) -fno-lto -DCG_WORKER='"$(COST)/nameserve-worker"' -DCG_OUT='"$(COST)/counts"' -o $@ $<

bench-cost: deps
	@$(MAKE) --no-print-directory all $(TOOLS) build/cost/nameserve-worker build/cost/under-callgrind
	@/usr/bin/python3 tests/bench/cost.py $(WATCHED)
