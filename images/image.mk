# The VM image. Included by the Makefile; run from the top. `make check` needs nothing of this.
IMAGE := build/image/nameserve.qcow2

# Always anew: what it is made of is Debian's newest, which make does not see.
image:
	@images/deps.sh
	@$(MAKE) --no-print-directory deps
	@$(MAKE) --no-print-directory all
	@images/build.sh $(IMAGE)

image-check:
	@images/deps.sh
	@test -e $(IMAGE) || $(MAKE) --no-print-directory image
	@/usr/bin/python3 -m pytest -x -q -s -p no:cacheprovider images/check
