#!/bin/sh
# make geo: a country file from the npm registry into build/geo, so that geo rules work out of the box.
# A commercial or GeoLite2 file is one key away: [geo] database = FILE.
set -eu
package=@ip-location-db/geo-whois-asn-country-mmdb
out=${1:-build/geo}
mkdir -p "$out"
cd "$out"
if [ -f country.mmdb ]; then
	echo "$out/country.mmdb is there already (remove it for a newer one)"
	exit 0
fi
tarball=$(npm pack --silent "$package")
tar -xzf "$tarball"
rm -f "$tarball"
cp package/*country.mmdb country.mmdb
sed -n 's/^ *"version": *"\(.*\)",*/version \1/p; s/^ *"license": *"\(.*\)",*/licence \1/p' package/package.json
rm -rf package
echo "[geo] database = $(pwd)/country.mmdb"
