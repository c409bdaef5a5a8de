#!/bin/sh
# do - the one script for people. It installs the Debian packages that are missing (as root),
# builds, and then does what its first argument says. It installs nothing of ours into the system.
set -eu
umask 022
cd "$(dirname "$0")"
export CMAKE_GENERATOR="${CMAKE_GENERATOR:-Ninja}" CTEST_OUTPUT_ON_FAILURE=1
root=$(id -u)

build_packages='gcc libc6-dev cmake ninja-build pkg-config libseccomp-dev libsystemd-dev libev-dev
	libssl-dev zlib1g-dev libbrotli-dev libconfuse-dev libcrypt-dev
	libcmocka-dev'
run_packages='curl openssl'
test_packages='clang libclang-rt-14-dev python3-pytest python3-cryptography curl strace openssl
	systemd netbase iproute2 procps util-linux binutils universal-ctags mandoc shellcheck clang-format
	acl nodejs slowhttptest sslscan'
# The other web servers come up by themselves when they are installed: whoever wants them beside
# ours installs nginx, h2o, lighttpd and hitch.
bench_packages="$run_packages wrk strace util-linux python3-cryptography"
lint_packages="$test_packages clang-tidy cppcheck"

usage()
{
	cat <<-END
	usage: ./do run              build, then serve a site on ports 80 and 443 until Ctrl-C (root)
	       ./do test             all tests: gcc, clang, ASan+UBSan, and each fuzzer for seconds
	       ./do lint             formatters, analyzers, and the rules of docs/ARCHITECTURE.md
	       ./do bench [--quick]  what tests/bench measures, into docs/PERFORMANCE.md (root)
	       ./do fuzz [SECONDS]   each fuzzer for that long (default 600)
	END
	exit 64
}

# need PACKAGES... - install those that are missing; without root, name them.
need()
{
	command -v dpkg-query >/dev/null || return 0 # not Debian: CMake will say what it misses
	missing=
	for package; do
		case $(dpkg-query -W -f '${Status}' "$package" 2>/dev/null) in
		*' installed') ;;
		*) missing="$missing $package" ;;
		esac
	done
	[ -n "$missing" ] || return 0
	if [ "$root" -ne 0 ]; then
		echo "do: missing packages; as root: apt-get install$missing" >&2
		exit 69
	fi
	echo "do: installing$missing"
	export DEBIAN_FRONTEND=noninteractive
	# shellcheck disable=SC2086 # a list of words
	apt-get install -qq -y --no-install-recommends $missing >/dev/null 2>&1 || {
		apt-get update -qq
		apt-get install -qq -y --no-install-recommends $missing >/dev/null
	}
}

# as_owner COMMAND... - under sudo, build as the owner of the checkout: no root-owned build/, and
# no compiler that runs as root over files of somebody else.
as_owner()
{
	owner=$(stat -c %u .)
	if [ "$root" -eq 0 ] && [ "$owner" -ne 0 ]; then
		setpriv --reuid "$owner" --regid "$(stat -c %g .)" --clear-groups -- "$@"
	else
		"$@"
	fi
}

# build PRESET [CMAKE-BUILD-ARGUMENTS...]
build()
{
	preset=$1
	shift
	echo "do: building $preset"
	as_owner cmake --preset "$preset" >/dev/null
	output=$(as_owner cmake --build --preset "$preset" -j "$(nproc)" "$@" 2>&1) || {
		printf '%s\n' "$output" | grep -v '^\[' >&2
		return 1
	}
}

# The users of packaging/sysusers.d, made the way a package makes them. They stay, as a package's
# do: a uid that files may carry must not be given to somebody else.
make_users()
{
	conf=$PWD/packaging/sysusers.d/sallyport.conf
	if command -v systemd-sysusers >/dev/null; then
		systemd-sysusers - <"$conf"
		return
	fi
	sed -n 's/^u[[:space:]]*\([^[:space:]]*\).*/\1/p' "$conf" | while read -r user; do
		getent passwd "$user" >/dev/null && continue
		if command -v adduser >/dev/null; then
			adduser --system --group --no-create-home --home /nonexistent --quiet "$user"
		else
			useradd --system --user-group --no-create-home --home-dir /nonexistent \
				--shell /usr/sbin/nologin "$user"
		fi
	done
}

# make_certificate - one for localhost that nobody else trusts, unless this machine has its own in
# /etc/sallyport. It lies in the stage, where drop-ins tell server and signer, and goes with it. The
# key is root's alone: the launcher hands it to the signer, and to nobody else.
make_certificate()
{
	[ ! -e /etc/sallyport/httpd.env ] || return 0
	etc=$stage/etc
	units=$stage/lib/systemd/system
	mkdir -p "$etc" "$units/sallyport-httpd.service.d" "$units/sallyport-keyd.service.d"
	mkdir -m 700 "$etc/private"
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 90 \
		-subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 \
		-keyout "$etc/private/localhost.key" -out "$etc/localhost.pem" 2>/dev/null
	echo "SALLYPORT_HTTPD_OPTIONS=--cert $etc/localhost.pem" >"$etc/httpd.env"
	printf '[Service]\nEnvironmentFile=\nEnvironmentFile=%s\n' "$etc/httpd.env" \
		>"$units/sallyport-httpd.service.d/do.conf"
	printf '[Service]\nLoadCredential=\nLoadCredential=tls:%s\n' "$etc/private" \
		>"$units/sallyport-keyd.service.d/do.conf"
}

do_run()
{
	if [ "$root" -ne 0 ]; then
		echo 'do: ports 80 and 443 and three users want root: sudo ./do run' >&2
		exit 77
	fi
	# shellcheck disable=SC2086 # lists of words
	need $build_packages $run_packages
	build release
	make_users
	# Root runs, and reads units, only from where nobody else can write; and the server must be
	# able to reach its files. A checkout in somebody's home is neither. Not /run: it is noexec.
	stage=$(mktemp -d /var/lib/sallyport-do.XXXXXX)
	pid=
	made="$stage"
	[ -e /run/sallyport-keyd ] || made="$stage /run/sallyport-keyd" # sockets outlive, as systemd's
	trap 'leave' EXIT
	trap 'exit 0' INT TERM HUP
	chmod 755 "$stage"
	cmake --install build --prefix "$stage" >/dev/null
	make_certificate
	# In a session of its own: Ctrl-C is for this script, which then asks the launcher once.
	setsid "$stage/bin/sallyport" run --unit-path "$stage/lib/systemd/system" \
		--unenforced PrivateNetwork \
		sallyport-keyd.socket sallyport-httpd.socket sallyport-httpd-tls.socket &
	pid=$!
	until "$stage/bin/sallyport" status >/dev/null 2>&1; do
		kill -0 "$pid" 2>/dev/null || finish
		sleep 0.1
	done
	curl -fsS -o /dev/null http://127.0.0.1/ # the first visitor starts the server
	curl -fsSk -o /dev/null https://127.0.0.1/ # and this one the signer
	printf '\nserving: https://localhost/'
	for address in 127.0.0.1 $(hostname -I 2>/dev/null); do
		case $address in
		*:*) printf ' http://[%s]/' "$address" ;;
		*) printf ' http://%s/' "$address" ;;
		esac
	done
	printf '\nstop:    Ctrl-C\nlook:    sudo %s audit\n\n' "$stage/bin/sallyport"
	"$stage/bin/sallyport" audit || true # its verdict is in the table
	finish
}

# finish - wait for the launcher, leave with its result.
finish()
{
	status=0
	wait "$pid" || status=$?
	pid=
	exit "$status"
}

# leave - stop the launcher, which stops what it started; then remove all that was made.
leave()
{
	trap '' INT TERM HUP
	if [ -n "$pid" ]; then
		kill -TERM "$pid" 2>/dev/null || true
		wait "$pid" || true
	fi
	# shellcheck disable=SC2086 # a list of words
	rm -rf $made
}

do_test()
{
	# shellcheck disable=SC2086 # lists of words
	need $build_packages $test_packages
	[ "$root" -ne 0 ] || make_users
	results=
	for preset in release clang sanitize; do
		build "$preset" || {
			results="$results $preset=broken"
			continue
		}
		skip='^lint$' # the sources are the same in each
		[ "$preset" != release ] || skip='^$'
		results="$results $(check "$preset" -LE "$skip")"
	done
	if build fuzz -t fuzzers; then
		results="$results $(check fuzz -L '^fuzz$')"
	else
		results="$results fuzz=broken"
	fi
	# shellcheck disable=SC2086 # a list of words
	python3 -B tests/count.py $results
}

# check PRESET CTEST-ARGUMENTS... - run tests, print the name of the report. The count comes later.
# Most of them are real processes on a machine that others may use: one that failed is run once more,
# and the log shows that it was.
check()
{
	preset=$1
	dir=build-$preset
	[ "$preset" = release ] && dir=build
	shift
	ctest --test-dir "$dir" -j "$(nproc)" --repeat until-pass:2 \
		--test-output-size-passed 1000000 --output-junit "$PWD/$dir/tests.xml" "$@" >&2 || true
	echo "$preset=$dir/tests.xml"
}

do_lint()
{
	# shellcheck disable=SC2086 # lists of words
	need $build_packages $lint_packages
	build release
	ctest --test-dir build -C Lint -L '^lint$' --output-junit "$PWD/build/lint.xml" \
		--test-output-size-passed 1000000 -j "$(nproc)" || failed=1
	python3 -B tests/count.py --print lint=build/lint.xml
	exit "${failed:-0}"
}

do_fuzz()
{
	seconds=${1:-600}
	# shellcheck disable=SC2086 # lists of words
	need $build_packages $test_packages
	build fuzz -t fuzzers
	for fuzzer in build-fuzz/fuzz/fuzz_*; do
		name=$(basename "$fuzzer")
		echo "== $name, $seconds s"
		mkdir -p "build-fuzz/fuzz-corpus/$name"
		dictionary=
		[ ! -f "tests/fuzz/$name.dict" ] || dictionary=-dict=tests/fuzz/$name.dict
		# shellcheck disable=SC2086 # a word, or none
		"$fuzzer" $dictionary -max_total_time="$seconds" -timeout=10 -print_final_stats=1 \
			-artifact_prefix=build-fuzz/ "build-fuzz/fuzz-corpus/$name" \
			"tests/fuzz/corpus/$name"
	done
}

do_bench()
{
	[ -x tests/bench/run ] || { echo 'do: there is no benchmark yet' >&2; exit 69; }
	# shellcheck disable=SC2086 # lists of words
	need $build_packages $bench_packages
	build release
	[ "$root" -ne 0 ] || make_users
	tests/bench/run build docs/PERFORMANCE.md "$@"
}

case ${1:-} in
run | test | bench | lint | fuzz)
	verb=$1
	shift
	"do_$verb" "$@"
	;;
*) usage ;;
esac
