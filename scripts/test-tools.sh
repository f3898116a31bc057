#!/bin/sh
# Sees to the programs that tests need beside Python: scripts/test-tools.sh java maven nginx …
# What is missing is installed on Debian by root; elsewhere a message says what to install.
set -eu

PATH=$PATH:/usr/sbin:/sbin

present() {
    case $1 in
    java) command -v java || [ -x "${JAVA_HOME:-/nowhere}/bin/java" ] ;;
    maven) command -v mvn ;;
    # Debian keeps the servers of PostgreSQL's versions out of PATH.
    postgresql) command -v postgres || ls /usr/lib/postgresql/*/bin/postgres ;;
    # gssapi and python-ldap are compiled against these.
    libkrb5-dev) command -v krb5-config ;;
    libldap-dev) ls /usr/include/ldap.h ;;
    libsasl2-dev) ls /usr/include/sasl/sasl.h ;;
    krb5-kdc | krb5-admin-server | krb5-user) command -v "$(program_of "$1")" ;;
    *) command -v "$1" ;;
    esac >/dev/null 2>&1
}

program_of() {
    case $1 in
    krb5-kdc) echo krb5kdc ;;
    krb5-admin-server) echo kadmin.local ;;
    krb5-user) echo kinit ;;
    esac
}

package_of() {
    case $1 in
    java)
        # Hadoop 3.4.2 runs on Java 11 to 22.
        if apt-cache show openjdk-17-jre-headless >/dev/null 2>&1; then
            echo openjdk-17-jre-headless
        else
            echo default-jre-headless
        fi
        ;;
    *) echo "$1" ;;
    esac
}

missing() {
    for tool; do
        present "$tool" || printf '%s ' "$tool"
    done
}

# A fresh nginx must not start serving port 80 of the machine, nor Redis or PostgreSQL theirs: only
# the programs are wanted.
install_packages() {
    policy=/usr/sbin/policy-rc.d
    if [ ! -e "$policy" ]; then
        trap 'rm -f "$policy"' EXIT
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod 755 "$policy"
    fi
    DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$@" >/dev/null
}

wanted=$(missing "$@")
[ -n "$wanted" ] || exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "installing by apt-get: $wanted"
    apt-get update -qq
    packages=''
    for tool in $wanted; do
        packages="$packages $(package_of "$tool")"
    done
    # shellcheck disable=SC2086 # one word for each package
    install_packages $packages
    wanted=$(missing "$@")
fi

[ -z "$wanted" ] || {
    printf '%s\n' "missing: $wanted" \
        "On Debian or Ubuntu, run this as root or install by hand:" \
        "  apt-get install$(for tool in $wanted; do printf ' %s' "$(package_of "$tool")"; done)" >&2
    exit 1
}
